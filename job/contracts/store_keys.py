"""Names of objects and pointers in a store, and types for what a store returns.

A pointer is an object that names the current version or the anchor of a channel.  An anchor is a
fixed version that candidates are compared with, in addition to the champion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from job.contracts.identity import is_version
from job.errors import ConfigurationError

_FOLDERS: Final = ("channels", "lineage", "probe", "removals", "runs")
CHANNEL: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$"
_ANCHOR: Final = ".anchor"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """Size and modification time of one object."""

    n_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStep:
    """The test of one operation that a store must support.

    Attributes
    ----------
    name
        `writes`, `reads`, `creates_once`, `swaps`, `lists`, `deletes` or `creates_alone`.  The last
        step tests that only one of several concurrent writers creates an object.
    answer
        The store's answer, such as `200` or `412 PreconditionFailed`.
    """

    name: str
    is_met: bool
    answer: str


def check_key(key: str) -> None:
    """Raise for an object's key that a store could take for a different path.

    Raises
    ------
    ConfigurationError
        The text between two slashes is empty, `.` or `..`, or the key has a backslash or a control
        character.
    """
    if not is_key(key):
        raise ConfigurationError(
            f"{key!r} is not a valid key of the store",
            hint="no part between slashes may be empty, '.' or '..', and the key must not contain "
            "a backslash or a control character",
        )


def is_key(text: str) -> bool:
    """Return whether a text is a valid key; `check_key` says which keys are not."""
    return is_plain(text) and not {"", ".", ".."} & set(text.split("/"))


def is_plain(text: str) -> bool:
    """Return whether a text has no backslash and no control character."""
    return "\\" not in text and text.isprintable()


def is_job_key(key: str) -> bool:
    """Return whether a key starts with a folder that this job writes to.

    The bucket or folder of the store may also contain objects of other programs.
    """
    first, slash, _ = key.partition("/")
    return bool(slash) and (first in _FOLDERS or is_version(first))


def is_private(key: str) -> bool:
    """Return whether only the job may read an object: lineage keys and lineage files."""
    return key.startswith("lineage/")


def is_channel(name: str) -> bool:
    """Return whether a channel may have this name; version names and `latest` are reserved."""
    return bool(re.fullmatch(CHANNEL, name)) and name != "latest" and not is_version(name)


def anchor_pointer(channel: str) -> str:
    """Return the name of the pointer that names a channel's anchor, without `channels/`."""
    return f"{channel}{_ANCHOR}"


def anchored_channel(pointer: str) -> str | None:
    """Return the channel that an anchor belongs to; None if `pointer` is a channel itself."""
    channel = pointer.removesuffix(_ANCHOR)
    return channel if channel != pointer and is_channel(channel) else None


def describe_pointer(pointer: str) -> str:
    """Return how messages name a pointer, such as `channel 'production'`."""
    channel = anchored_channel(pointer)
    return f"channel '{pointer}'" if channel is None else f"the anchor of channel '{channel}'"


def promote_command(pointer: str, version: str) -> str:
    """Return the command that moves a pointer to a version."""
    channel = anchored_channel(pointer)
    options = f"--channel {pointer}" if channel is None else f"--channel {channel} --anchor"
    return f"`pcc-job models promote {version} {options}`"
