"""The history of a channel: its moves, and the champion before the current one.

How it works
------------
1. Each move is a separate object, `channels/NAME/history/NUMBER.json`, that is never changed.
2. The pointer also contains the last move, because the process that made the move may have been
   killed before it could write the entry.
3. To find the version that a rollback returns to, the moves are replayed into a list of champions.
   A promotion appends a version to the list.  A rollback removes all versions after the one that it
   returned to, so the next rollback goes further back.
"""

from __future__ import annotations

import re
from typing import Final

from job.contracts.ports import ArtifactStore
from job.contracts.reports.channel import ChannelMove, ChannelPointer
from job.contracts.store_bounds import MAX_RECORD_BYTES
from job.contracts.store_keys import describe_pointer, promote_command
from job.contracts.version_files import MANIFEST_FILE
from job.errors import IntegrityError

_NUMBER: Final = re.compile(r"([0-9]{6,15})\.json")


def read_pointer(channel: str, raw: bytes) -> ChannelPointer:
    """Parse the bytes of a channel's pointer, which contains the channel's last move.

    Raises
    ------
    IntegrityError
        The bytes are not a pointer.
    """
    try:
        return ChannelPointer.parse(raw)
    except ValueError:
        raise IntegrityError(
            f"channels/{channel}.json is damaged: it does not name the version of "
            f"{describe_pointer(channel)}",
            hint=f"delete it, then run {promote_command(channel, 'VERSION')} with the version in "
            f"`to` of the newest entry in channels/{channel}/history/",
        ) from None


def read_moves(store: ArtifactStore, channel: str) -> list[ChannelMove]:
    """Return all moves of a channel, oldest first, including the last move in the pointer.

    Raises
    ------
    IntegrityError
        The pointer or an entry is damaged.
    """
    keys = list(store.keys(_history_prefix(channel)))
    moves = [_read_entry(store, key) for key in keys]
    raw = store.get(f"channels/{channel}.json", max_bytes=MAX_RECORD_BYTES)
    if raw is None:
        return moves
    last = read_pointer(channel, raw).last_move
    return moves if last in moves else [*moves, last]


def next_number(store: ArtifactStore, channel: str, present: ChannelPointer | None) -> int:
    """Return the number of the next move: the highest number so far, plus 1.

    The highest number is that of a move in the history, or of the move in the pointer `present`.
    """
    numbers = [_entry_number(key) for key in store.keys(_history_prefix(channel))]
    return 1 + max(*numbers, 0, present.move if present else 0)


def append_history(store: ArtifactStore, channel: str, pointer: ChannelPointer) -> None:
    """Append the move in `pointer` to the history, unless the history contains this move.

    If another move already has the same number, the next free number is used.
    """
    number, entry = pointer.move, pointer.last_move.to_bytes()
    while not store.put_if_absent(_entry_key(channel, number), entry):
        if store.get(_entry_key(channel, number), max_bytes=MAX_RECORD_BYTES) == entry:
            return
        number += 1


def previous_version(store: ArtifactStore, channel: str) -> str | None:
    """Return the version that a rollback moves the channel to; None if there is none.

    This is the latest champion before the current one that still exists in the store.  Champions
    that an earlier rollback has replaced are skipped.
    """
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
    _entry_number(key)
    try:
        return ChannelMove.parse(store.get(key, max_bytes=MAX_RECORD_BYTES) or b"")
    except ValueError:
        raise _damaged_entry(key) from None


def _entry_number(key: str) -> int:
    match = _NUMBER.fullmatch(key.rpartition("/")[2])
    if not match:
        raise _damaged_entry(key)
    return int(match[1])


def _damaged_entry(key: str) -> IntegrityError:
    return IntegrityError(
        f"{key} is not a valid entry of a channel's history",
        hint="find out what wrote this entry, then delete the entry; the others stay valid",
    )


def _history_prefix(channel: str) -> str:
    return f"channels/{channel}/history/"


def _entry_key(channel: str, number: int) -> str:
    return f"{_history_prefix(channel)}{number:06d}.json"
