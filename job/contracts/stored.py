"""What a store knows of its objects and of itself, and which keys it takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from job.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """Size and age of one object."""

    n_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStep:
    """One ability of a store, tried for real.

    Attributes
    ----------
    name
        `writes`, `reads`, `creates_once`, `swaps`, `lists` or `deletes`.
    answer
        What the store said, such as `200` or `412 PreconditionFailed`.
    """

    name: str
    is_met: bool
    answer: str


def check_key(key: str) -> None:
    """Refuse a key that could be understood as another place.

    Raises
    ------
    ConfigurationError
        A part is empty, `.` or `..`, or there is a backslash or a control character.
    """
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or not is_plain(key):
        raise ConfigurationError(
            f"{key!r} cannot be a key of the store",
            hint="keys have no empty part, '.', '..', backslash or control character",
        )


def is_plain(text: str) -> bool:
    """Say whether a text has no backslash and no control character."""
    return "\\" not in text and text.isprintable()
