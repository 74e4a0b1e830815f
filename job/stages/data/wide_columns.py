"""Find the columns of embeddings that have one column for each dimension."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Final

from job.contracts.shown_names import NameRule

_NUMBERED: Final = re.compile(r"\d{1,9}")


def wide_columns(names: tuple[str, ...], pattern: str) -> tuple[str, ...]:
    """Return the columns whose names match `prefix*`, sorted by the number after the prefix."""
    numbers = _read_numbers(names, pattern)
    return tuple(sorted(numbers, key=lambda name: (numbers[name], name)))


def find_equal_numbers(names: tuple[str, ...], pattern: str) -> tuple[tuple[str, ...], ...]:
    """Return the groups of columns that have the same number, such as `e1` and `e01`."""
    by_number = defaultdict(list)
    for name, number in _read_numbers(tuple(dict.fromkeys(names)), pattern).items():
        by_number[number].append(name)
    return tuple(tuple(sorted(group)) for _, group in sorted(by_number.items()) if len(group) > 1)


def find_gaps(names: tuple[str, ...], pattern: str) -> tuple[str, ...]:
    """Return the numbers that are missing between the first column and the last, as ranges.

    Columns can be numbered from 0 or from 1; a higher first number is a gap.

    >>> find_gaps(("e0", "e1", "e3", "e7"), "e*")
    ('2', '4 to 6')
    """
    numbers = sorted(set(_read_numbers(names, pattern).values()))
    if not numbers:
        return ()
    start = -1 if numbers[0] != 1 else 0
    gaps = [(low + 1, high - 1) for low, high in pairwise([start, *numbers]) if high - low > 1]
    return tuple(str(low) if low == high else f"{low} to {high}" for low, high in gaps)


def find_strays(names: tuple[str, ...], pattern: str) -> tuple[str, ...]:
    """Return the columns that have the prefix but no number, such as `emb_model` for `emb_*`.

    Only names in which the prefix is a part of its own count: `email` is not one for `e*`.
    """
    prefix = pattern.removesuffix("*")
    numbered = _read_numbers(names, pattern)
    return tuple(
        name
        for name in names
        if name.startswith(prefix)
        and name not in numbered
        and prefix
        and not (prefix[-1].isalpha() and name[len(prefix) :][:1].isalpha())
    )


def check_numbering(
    names: tuple[str, ...],
    renamed: Mapping[str, str],
    pattern: str | None,
    *,
    known: Collection[str],
    rule: NameRule,
) -> dict[str, tuple[str, ...]]:
    """Return missing numbers of `prefix*`, and columns with the prefix that have no number.

    The keys are those of `Provenance`; empty without `prefix*`.

    Parameters
    ----------
    names
        Names in the file.
    renamed
        Names in the file, by the names in the settings.
    known
        Columns that have a role of their own; they do not count as strays.
    """
    if pattern is None or not pattern.endswith("*"):
        return {}
    strays = sorted(set(find_strays(tuple(renamed), pattern)) - set(known))
    shown = tuple(rule.show(name, names.index(renamed[name]) + 1) for name in strays)
    return {"embedding_gaps": find_gaps(tuple(renamed), pattern), "embedding_strays": shown}


def _read_numbers(names: tuple[str, ...], pattern: str) -> dict[str, int]:
    """Return the number of each column whose name matches `prefix*`."""
    prefix = pattern.removesuffix("*")
    rests = {name: name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    return {name: int(rest) for name, rest in rests.items() if _NUMBERED.fullmatch(rest)}
