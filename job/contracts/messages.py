"""How lists of names stand in messages: sorted by the caller, quoted, capped at ten."""

import difflib
import json
from collections.abc import Iterable, Sequence
from typing import Final

_CAP: Final = 10


def quote_list(names: Sequence[object]) -> str:
    """Write `'a', 'b' and N more`.

    >>> shortened(["a", "b"])
    "'a', 'b'"
    """
    text = ", ".join(f"'{name}'" for name in names[:_CAP])
    return text if len(names) <= _CAP else f"{text} and {len(names) - _CAP} more"


def pluralize(n: int, noun: str) -> str:
    """Write a number with its noun.

    >>> counted(1, "row"), counted(2, "class")
    ('1 row', '2 classes')
    """
    return f"{n} {noun}{'' if n == 1 else 'es' if noun.endswith('s') else 's'}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Write `; did you mean 'x'?`, or nothing where no known name is like it."""
    by_fold = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), list(by_fold), n=1, cutoff=0.5)
    return f"; did you mean '{by_fold[found[0]]}'?" if found else ""


def escape_control_characters(text: str) -> str:
    """Keep what a name of the data holds from commanding a terminal; lines stay lines."""
    return "\n".join(line if line.isprintable() else json.dumps(line) for line in text.split("\n"))
