"""The history of a channel: its moves, and the champion before the present one.

How it works
------------
1. Each move is an object of its own, `channels/NAME/history/NUMBER.json`, that is never changed.
2. The last move is also in the pointer, as the process that made it may have been killed before
   it could write the entry.
3. For a rollback, moves are replayed: a rollback removes the champions back to its target, so that
   a second rollback goes one version further back.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from job.contracts.identity import canonical_json, is_version
from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import describe_pointer, promote_command
from job.contracts.version_files import MANIFEST_FILE
from job.errors import IntegrityError

_NUMBER: Final = re.compile(r"([0-9]{6,})\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMove:
    """One move of a channel; the pointer contains the last one.

    Attributes
    ----------
    number
        Number of the move in the channel's history, from 1; 0 if the pointer has none.
    copy_of
        Version whose files were published again as `to`.
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
        """Return the move as the bytes of the channel's pointer."""
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
        """Return the move as an entry of the history."""
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
    """Read the last move of a channel from the bytes of its pointer.

    Raises
    ------
    IntegrityError
        The bytes are not a pointer.
    """
    try:
        content = json.loads(raw)
        content |= {"to": content["version"], "at": content.get("promoted_at")}
        return _parse_move(content | {"by": content.get("run_id")}, content.get("move", 0))
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(
            f"channels/{channel}.json is damaged: it must name the version of "
            f"{describe_pointer(channel)}",
            hint=f"remove it, then run {promote_command(channel, 'VERSION')} with the version that "
            f"`to` names in the newest entry of channels/{channel}/history/",
        ) from None


def read_moves(store: ArtifactStore, channel: str) -> list[ChannelMove]:
    """Read all moves of a channel, oldest first, including the pointer's.

    Raises
    ------
    IntegrityError
        The pointer or an entry is damaged.
    """
    keys = list(store.keys(_history_prefix(channel)))
    moves = [_read_entry(store, key) for key in keys]
    raw = store.get(f"channels/{channel}.json")
    if raw is None:
        return moves
    last = read_pointer(channel, raw)
    is_recorded = any(move.entry() == last.entry() for move in moves)
    return moves if is_recorded else [*moves, last]


def next_number(store: ArtifactStore, channel: str, present: ChannelMove | None) -> int:
    """Return the number of the next move, greater than the history's and the pointer's numbers."""
    numbers = [_entry_number(key) for key in store.keys(_history_prefix(channel))]
    return 1 + max(*numbers, 0, present.number if present else 0)


def append_history(store: ArtifactStore, channel: str, move: ChannelMove) -> None:
    """Append a move to the history if it is missing; a number in use is skipped."""
    number, entry = move.number, canonical_json(move.entry())
    while not store.put_if_absent(_entry_key(channel, number), entry):
        if store.get(_entry_key(channel, number)) == entry:
            return
        number += 1


def previous_version(store: ArtifactStore, channel: str) -> str | None:
    """Return the last earlier champion that still exists and was not rolled back."""
    champions: list[ChannelMove] = []
    for move in read_moves(store, channel):
        if move.action == "rollback":
            target = move.copy_of or move.to
            matches = [n for n, earlier in enumerate(champions) if earlier.to == target]
            del champions[matches[-1] if matches else len(champions) :]
        champions.append(move)
    names = [move.to for move in champions]
    for name in names[-2::-1]:
        if name != names[-1] and store.head(f"{name}/{MANIFEST_FILE}") is not None:
            return name
    return None


def _read_entry(store: ArtifactStore, key: str) -> ChannelMove:
    try:
        return _parse_move(json.loads(store.get(key) or b""), _entry_number(key))
    except (ValueError, KeyError, TypeError):
        raise _damaged_entry(key) from None


def _parse_move(content: Any, number: int) -> ChannelMove:
    """Return a validated move, or raise ValueError, KeyError or TypeError."""
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


def _entry_number(key: str) -> int:
    match = _NUMBER.fullmatch(key.rpartition("/")[2])
    if not match:
        raise _damaged_entry(key)
    return int(match[1])


def _damaged_entry(key: str) -> IntegrityError:
    return IntegrityError(
        f"{key} is not an entry of a channel's history", hint="look at it, then remove it"
    )


def _history_prefix(channel: str) -> str:
    return f"channels/{channel}/history/"


def _entry_key(channel: str, number: int) -> str:
    return f"{_history_prefix(channel)}{number:06d}.json"
