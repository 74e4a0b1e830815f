"""The moves of a channel: how one is written, and which champion came before."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from job.contracts.identity import canonical_json, is_version
from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import MANIFEST, describe_pointer, promote_command
from job.errors import IntegrityError

_NUMBER: Final = re.compile(r"([0-9]{6,})\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMove:
    """One move of a channel; the pointer holds the last one whole.

    Attributes
    ----------
    number
        Counts the channel's moves; the history's keys have it.
    copy_of
        The version whose bytes were published again under the name `to`.
    """

    number: int
    to: str
    origin: str | None
    at: str | None
    by: str | None
    why: str | None
    action: str
    copy_of: str | None = None

    def pointer(self) -> bytes:
        """Write it as the channel's pointer."""
        return canonical_json(
            {
                "version": self.to,
                "promoted_at": self.at,
                "run_id": self.by,
                "move": self.number,
                "from": self.origin,
                "why": self.why,
                "action": self.action,
                **({"copy_of": self.copy_of} if self.copy_of else {}),
            }
        )

    def entry(self) -> dict[str, Any]:
        """Return it as an entry of the history."""
        return {
            "at": self.at,
            "by": self.by,
            "from": self.origin,
            "to": self.to,
            "why": self.why,
            "action": self.action,
            **({"copy_of": self.copy_of} if self.copy_of else {}),
        }


def read_pointer(channel: str, raw: bytes) -> ChannelMove:
    """Read the bytes of a channel's pointer.

    Raises
    ------
    IntegrityError
        They are not a pointer.
    """
    try:
        content = json.loads(raw)
        content |= {"to": content["version"], "at": content.get("promoted_at")}
        return _move(content | {"by": content.get("run_id")}, content.get("move", 0))
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(
            f"channels/{channel}.json is damaged: it must name the version of "
            f"{describe_pointer(channel)}",
            hint=f"remove it, then run {promote_command(channel, 'VERSION')} with the version that "
            f"`to` names in the newest entry of channels/{channel}/history/",
        ) from None


def read_moves(store: ArtifactStore, channel: str) -> list[ChannelMove]:
    """Read every move of a channel, oldest first, the pointer's own too.

    Raises
    ------
    IntegrityError
        The pointer or an entry is damaged.
    """
    keys = list(store.keys(_folder(channel)))
    moves = [_read_entry(store, key) for key in keys]
    raw = store.get(f"channels/{channel}.json")
    if raw is None:
        return moves
    last = read_pointer(channel, raw)
    has_known_class = any(move.entry() == last.entry() for move in moves)
    return moves if has_known_class else [*moves, last]


def next_number(store: ArtifactStore, channel: str, present: ChannelMove | None) -> int:
    """Return a number past every move that is written down, and past the pointer's."""
    numbers = [_number_of(key) for key in store.keys(_folder(channel))]
    return 1 + max(*numbers, 0, present.number if present else 0)


def append_history(store: ArtifactStore, channel: str, move: ChannelMove) -> None:
    """Write a move into the history, unless it is there; a taken number is left to its owner."""
    number, entry = move.number, canonical_json(move.entry())
    while not store.put_if_absent(_key_of(channel, number), entry):
        if store.get(_key_of(channel, number)) == entry:
            return
        number += 1


def previous_version(store: ArtifactStore, channel: str) -> str | None:
    """Return the champion before the present one that still exists, past those rolled back."""
    champions: list[ChannelMove] = []
    for move in read_moves(store, channel):
        if move.action == "rollback":
            target = move.copy_of or move.to
            found = [n for n, earlier in enumerate(champions) if earlier.to == target]
            del champions[found[-1] if found else len(champions) :]
        champions.append(move)
    names = [move.to for move in champions]
    for name in names[-2::-1]:
        if name != names[-1] and store.head(f"{name}/{MANIFEST}") is not None:
            return name
    return None


def _read_entry(store: ArtifactStore, key: str) -> ChannelMove:
    try:
        return _move(json.loads(store.get(key) or b""), _number_of(key))
    except (ValueError, KeyError, TypeError):
        raise _damaged(key) from None


def _move(content: Any, number: int) -> ChannelMove:
    """Check a move's parts; raises ValueError, KeyError or TypeError."""
    if not isinstance(content, dict):
        raise TypeError("not an object")
    texts = {name: content.get(name) for name in ("at", "by", "why")}
    move = ChannelMove(
        number=number,
        to=content["to"],
        origin=content.get("from"),
        action=content.get("action", "promote"),
        copy_of=content.get("copy_of"),
        **texts,
    )
    names = [name for name in (move.to, move.origin, move.copy_of) if name is not None]
    if not all(is_version(name) for name in (move.to, *names)):
        raise ValueError("not the name of a version")
    if any(not isinstance(text, str) for text in texts.values() if text is not None):
        raise ValueError("not a text")
    if move.action not in ("promote", "rollback") or type(number) is not int or number < 0:
        raise ValueError("not a move")
    return move


def _number_of(key: str) -> int:
    found = _NUMBER.fullmatch(key.rpartition("/")[2])
    if not found:
        raise _damaged(key)
    return int(found[1])


def _damaged(key: str) -> IntegrityError:
    return IntegrityError(
        f"{key} is not an entry of a channel's history", hint="look at it, then remove it"
    )


def _folder(channel: str) -> str:
    return f"channels/{channel}/history/"


def _key_of(channel: str, number: int) -> str:
    return f"{_folder(channel)}{number:06d}.json"
