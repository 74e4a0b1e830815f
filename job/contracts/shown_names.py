"""Decide which names from a file may be shown; all others are replaced by a number.

Where a file should name a column or a class, it can have a request or a person's name instead, for
example if a CSV file has no header, or if the columns of labels and texts are swapped.

How it works
------------
1. A name that the settings know is shown, also if only case, spaces or punctuation differ.
   Invisible characters are shown by their code points, such as `text<U+200B>`.
2. A plain name is shown if it is similar to one that the settings know.  A plain name is shorter
   than 40 characters, begins with a letter, has only letters, digits, `_`, `.` and `-`, and at most
   four digits.
3. Any other plain name is shown if all required columns were found, because the first row is then a
   header.
4. All other names are replaced by their number, such as `column 3`.
5. The values of a table's notes (key-value metadata) are shown if the note's key is known, and the
   value has the form that belongs to the key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from job.contracts.invisible_characters import reveal
from job.contracts.messages import find_closest

MIN_HOLDERS: Final = 5  # a class or category that fewer hold is never named
SAMPLE_DESCRIPTION: Final = (
    "synthetic sample of pcc-training-job: its scores say nothing of real requests"
)
SAMPLE_EMBEDDING_MODEL: Final = "synthetic: seeded projection of hashed n-grams"
_PLAIN: Final = re.compile(r"[^\W\d_][\w.-]{0,38}")
_MAX_DIGITS: Final = 4
_MIN_SIMILARITY: Final = 0.8
_MAX_LISTED: Final = 10


def is_plain(name: str) -> bool:
    """Return whether a name is an identifier that cannot be a sentence, an address or an id.

    >>> [is_plain(name) for name in ("app_version", "dim_583", "Dear Sir", "jo@example.com")]
    [True, True, False, False]
    """
    n_digits = sum(character.isdigit() for character in name)
    return bool(_PLAIN.fullmatch(name)) and n_digits <= _MAX_DIGITS


def find_similar(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a plain name is similar to; None if there is none."""
    if not is_plain(name):
        return None
    return find_closest(name, known, min_similarity=_MIN_SIMILARITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """The rule for the names of a file.

    Attributes
    ----------
    known
        Names that the settings know.
    is_complete
        Whether the file has all names that are required of it, and at least one that is known.
    """

    known: Collection[str]
    is_complete: bool

    def shows(self, name: str) -> bool:
        """Return whether the name may be shown."""
        if name in self.known or _fold(name) in {_fold(known) for known in self.known} - {""}:
            return True
        return is_plain(name) and (self.is_complete or find_similar(name, self.known) is not None)

    def show(self, name: str, number: int, noun: str = "column") -> str:
        """Return the name, or the noun with the number of the name, counted from 1.

        Invisible characters of the name are shown by their code points.
        """
        return reveal(name) if self.shows(name) else f"{noun} {number}"

    def quote(self, name: str, number: int, noun: str = "column") -> str:
        """Return the name in quotes, or the noun with the number of the name."""
        return f"'{reveal(name)}'" if self.shows(name) else f"{noun} {number}"

    def quote_all(self, names: Sequence[str], noun: str = "column") -> str:
        """Return a list of all names, which are numbered in the order of `names`; at most ten."""
        shown = [self.quote(name, number, noun) for number, name in enumerate(names, start=1)]
        n_more = len(shown) - _MAX_LISTED
        return ", ".join(shown[:_MAX_LISTED]) + (f" and {n_more} more" if n_more > 0 else "")


def _fold(name: str) -> str:
    """Return a short name without case, spaces, punctuation and invisible characters."""
    return "" if len(name) >= 40 else re.sub(r"[\W_]+", "", name).casefold()


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value) is not None


def _is_model(value: str) -> bool:
    """Return whether a value is the name of a model: plain parts, such as `owner/name`."""
    if re.fullmatch(rf"{re.escape(SAMPLE_EMBEDDING_MODEL)}, seed \d{{1,9}}", value):
        return True
    return all(map(is_plain, re.split("[/:]", value)))


def _is_program(value: str) -> bool:
    """Return whether a value is the name of a program, with its version or without."""
    name, _, version = value.partition(" ")
    return is_plain(name) and (not version or NOTES["version"](version))


# the form of the value of each note that is shown
NOTES: Final[Mapping[str, Callable[[str], bool]]] = {
    "created_at": _is_time,
    "description": lambda value: value == SAMPLE_DESCRIPTION or is_plain(value),
    "embedding_model": _is_model,
    "generator": _is_program,
    "git_commit": _matches("[0-9a-f]{7,64}"),
    "license": is_plain,
    "schema_version": _matches(r"v?\d{1,4}([.-]\w{1,8}){0,3}"),
    "seed": _matches(r"-?\d{1,9}"),
    "version": _matches(r"v?\d{1,4}([.-]\w{1,8}){0,3}"),
}


def select_notes(notes: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the notes of a table that may be shown."""
    return {key: value for key, value in notes if key in NOTES and NOTES[key](value)}
