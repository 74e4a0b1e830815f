"""Find labels that look alike but differ in characters, such as `Opt_out ` and `opt_out`.

How it works
------------
1. Each label is folded: invisible characters are removed, the Unicode form is made the same (NFKC),
   each run of blanks becomes one space, and case is removed.
2. Labels with the same folded form look alike.
3. A difference is named by the steps that are needed to make two labels equal.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

_FILLERS: Final = "\u034f\u115f\u1160\u2800\u3164\uffa0"  # no format characters, yet not seen
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SPECIAL: Final = re.compile(f"{_SELECTORS.pattern}|[{_FILLERS}]")


def fold_label(label: str) -> str:
    """Return a label without the differences that a reader does not see, and without case.

    >>> fold_label("Opt\\u00a0out \\0") == fold_label("opt  out")
    True
    """
    # NOTE: a fast path for labels that two steps would not change
    is_seen = label.isprintable() and _SPECIAL.search(label) is None
    if is_seen and unicodedata.is_normalized("NFKC", label):
        return _without_case(_with_single_blanks(label))
    return _fold(label, _STEPS)


def find_look_alikes(labels: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the groups of different labels that look alike, each sorted, in sorted order."""
    groups = defaultdict(set)
    for label in labels:
        groups[fold_label(label)].add(label)
    return tuple(sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1))


def describe_difference(first: str, second: str) -> str:
    """Return the kinds of difference between two labels that look alike.

    >>> describe_difference("a", "A "), describe_difference("a", "a\\u200b")
    ('blanks and case', 'invisible characters')
    """
    kinds = [
        name
        for name in _STEPS
        if _fold(first, [s for s in _STEPS if s != name])
        != _fold(second, [s for s in _STEPS if s != name])
    ]
    return " and ".join(kinds) or "several kinds of characters"


def _fold(label: str, steps: Iterable[str]) -> str:
    for name in steps:
        label = _STEPS[name](label)
    return label


def _without_invisible(label: str) -> str:
    """Return a label without control and format characters; blanks such as tabs are kept."""
    return "".join(c for c in _SELECTORS.sub("", label) if not _is_invisible(c))


def _is_invisible(character: str) -> bool:
    is_control = unicodedata.category(character) in ("Cc", "Cf")
    return character in _FILLERS or (is_control and not character.isspace())


def _without_case(label: str) -> str:
    return label.casefold()


def _with_single_blanks(label: str) -> str:
    return " ".join(label.split())


def _in_one_form(label: str) -> str:
    # NOTE: NFKC would make plain spaces of other blanks, which are another kind of difference
    return re.sub(r"\S+", lambda word: unicodedata.normalize("NFKC", word[0]), label)


_STEPS: Final[dict[str, Callable[[str], str]]] = {
    "invisible characters": _without_invisible,
    "Unicode form": _in_one_form,
    "blanks": _with_single_blanks,
    "case": _without_case,
}
