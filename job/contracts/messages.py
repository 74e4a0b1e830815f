"""Phrases of messages: quoted lists, plurals, suggestions and printable text."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_CAP: Final = 10
_MAX_LENGTH: Final = 200
_WHOLE_NUMBER: Final = "expected a whole number"
_WORDS: Final = {
    "tuple_type": "expected a list, such as [a, b]",
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
}
_RANGES: Final = {
    "less_than_equal": ("is more than", "le"),
    "less_than": ("is not less than", "lt"),
    "greater_than_equal": ("is less than", "ge"),
    "greater_than": ("is not more than", "gt"),
}


def shorten(text: str, max_length: int = _MAX_LENGTH) -> str:
    """Return the beginning of a text, with its control characters and line breaks escaped.

    >>> print(shorten("a\\nb"), shorten("abcdef", 3))
    a\\nb abc...
    """
    shown = text if len(text) <= max_length else f"{text[:max_length]}..."
    return shown if shown.isprintable() else json.dumps(shown)[1:-1]


def quote(text: str) -> str:
    """Return the beginning of a text in quotes, as `shorten` does."""
    return f"'{shorten(text)}'"


def quote_list(names: Sequence[object]) -> str:
    """Return `'a', 'b' and N more`: at most ten names, in the caller's order.

    >>> quote_list(["a", "b"])
    "'a', 'b'"
    """
    text = ", ".join(quote(str(name)) for name in names[:_CAP])
    return text if len(names) <= _CAP else f"{text} and {len(names) - _CAP} more"


def describe_problem(problem: ErrorDetails) -> str:
    """Return place and message of a problem that pydantic has found, without the value."""
    place = shorten(".".join(str(part) for part in problem["loc"]))
    return f"{place}: {problem['msg']}" if place else problem["msg"]


def describe_setting_problem(problem: ErrorDetails) -> str:
    """Return the message of a problem with a setting, whose value is in `problem["input"]`.

    Only a number that is outside its range is shown; other values may be secret.
    """
    kind, value = problem["type"], problem["input"]
    if kind != "value_error" and (value is None or value == ""):
        return "the value is empty"
    if kind in _RANGES and type(value) in (int, float):
        words, limit = _RANGES[kind]
        return f"{value} {words} {problem['ctx'][limit]}"
    return _WORDS.get(kind, problem["msg"].removeprefix("Value error, "))


def pluralize(n: int, noun: str) -> str:
    """Return a number with its noun in singular or plural.

    >>> pluralize(1, "row"), pluralize(2, "class")
    ('1 row', '2 classes')
    """
    return f"{n} {_inflect(n, noun)}"


def name_all(noun: str, names: Sequence[object]) -> str:
    """Return a noun in singular or plural with quoted names, at most ten.

    >>> name_all("class", ["a"]), name_all("class", ["a", "b"])
    ("class 'a'", "classes 'a', 'b'")
    """
    return f"{_inflect(len(names), noun)} {quote_list(names)}"


def _inflect(n: int, noun: str) -> str:
    return noun if n == 1 else f"{noun}es" if noun.endswith("s") else f"{noun}s"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)`, or an empty text if no known name is similar."""
    closest = find_closest(name, known, min_similarity=0.5)
    return "" if closest is None else f" (did you mean '{closest}'?)"


def find_closest(name: str, known: Iterable[str], *, min_similarity: float) -> str | None:
    """Return the known name that is most similar to a name; None if none is similar enough.

    The similarity is the ratio of `difflib.SequenceMatcher`, from 0 to 1, without case.
    """
    by_casefold = {candidate.casefold(): candidate for candidate in sorted(known)}
    matches = difflib.get_close_matches(
        name.casefold(), list(by_casefold), n=1, cutoff=min_similarity
    )
    return by_casefold[matches[0]] if matches else None


def escape_control_characters(text: str) -> str:
    """Escape the control characters of a text as JSON does; keep line breaks."""
    return "\n".join(line if line.isprintable() else json.dumps(line) for line in text.split("\n"))
