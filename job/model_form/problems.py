"""Say what is wrong with the parts of a plain form, by their names in the file.

Whether a form is unknown or malformed matters to a person: a later release may read an unknown
form, and no release reads a malformed one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from job.contracts.messages import quote

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_PLACES_OF_KINDS: Final = {"input": 1, "blocks": 2, "head": 1, "link": 1}
_UNKNOWN_KIND: Final = "union_tag_invalid"


class UnknownFormError(ValueError):
    """A later release may know the format, its version or the kind of a part."""


def explain(error: ValidationError, arrays: Collection[str]) -> ValueError:
    """Return an error with the first problem of a form; unknown kinds come before other problems.

    Parameters
    ----------
    arrays
        Paths of the arrays, such as `head/intercept`.
    """
    problems = error.errors(include_url=False, include_input=False)
    problem = min(problems, key=lambda problem: problem["type"] != _UNKNOWN_KIND)
    place = _name_place(problem["loc"])
    if problem["type"] == _UNKNOWN_KIND:
        tag, known = problem["ctx"]["tag"], problem["ctx"]["expected_tags"]
        return UnknownFormError(f"{quote(place)} has the unknown kind {quote(tag)}; known: {known}")
    return ValueError(_describe(problem, place, "array" if place in arrays else "part"))


def _name_place(location: Sequence[int | str]) -> str:
    """Return a place as a path; pydantic's location also has the kind of the part."""
    parts = [str(part) for part in location]
    if parts:
        kind = _PLACES_OF_KINDS.get(parts[0], len(parts))
        del parts[kind : kind + 1]
    return "/".join(parts)


def _describe(problem: ErrorDetails, place: str, noun: str) -> str:
    if problem["type"] == "extra_forbidden":
        return f"unknown {noun} {quote(place)}"
    if problem["type"] == "missing":
        return f"{quote(place)} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{noun} {quote(place)}: {message}" if place else message
