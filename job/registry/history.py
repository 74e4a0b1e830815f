"""The history of a channel: its moves, and the champion before the current one.

How it works
------------
1. Each move is a separate object, `channels/NAME/history/NUMBER.json`, that is never changed.
2. The pointer also contains the last move, because the process that made the move may have been
   killed before it could write the entry.
3. To find the version that a rollback returns to, each move updates a list of champions, newest
   first.  A promotion adds a version.  A rollback removes the version that it returned to and all
   newer ones, and adds the version again, so the next rollback goes further back.
4. The pointer contains the newest 50 earlier champions of this list, so that no command has to read
   all moves.  If an earlier release or a person wrote the pointer, the list is missing; it is then
   computed from the newest 50 moves.
5. Anybody who may create objects in the history can store an entry with a very high number.  The
   numbers of later moves do not continue from there, because they would become too long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from job.contracts.ports import ArtifactStore
from job.contracts.reports.channel import ChannelMove, ChannelPointer
from job.contracts.store_bounds import MAX_RECORD_BYTES
from job.contracts.store_keys import describe_pointer, promote_command
from job.errors import IntegrityError
from job.registry.publish import is_complete

N_NEWEST: Final = 50
_N_THREADS: Final = 4
_MAX_NUMBER: Final = 10**12
_MAX_GAP: Final = 10**6
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


def list_entries(store: ArtifactStore, channel: str) -> list[str]:
    """Return the keys of the entries in a channel's history, oldest first.

    Raises
    ------
    IntegrityError
        The name of an object in the history is not that of an entry.
    """
    return sorted(store.keys(_history_prefix(channel)), key=_entry_number)


def read_moves(
    store: ArtifactStore, channel: str, keys: Sequence[str] | None = None
) -> list[ChannelMove]:
    """Return moves of a channel, oldest first, including the last move in the pointer.

    Parameters
    ----------
    keys
        Keys of the entries to read, from `list_entries`; None reads the newest 50.

    Raises
    ------
    IntegrityError
        The pointer or an entry is damaged.
    """
    if keys is None:
        keys = list_entries(store, channel)[-N_NEWEST:]
    with ThreadPoolExecutor(_N_THREADS) as pool:
        moves = list(pool.map(partial(_read_entry, store), keys))
    raw = store.get(f"channels/{channel}.json", max_bytes=MAX_RECORD_BYTES)
    if raw is None:
        return moves
    last = read_pointer(channel, raw).last_move
    return moves if last in moves else [*moves, last]


def last_number(store: ArtifactStore, channel: str, *, known: int = 0) -> int:
    """Return the highest number of a move in the history; 0 if the history is empty.

    Objects that no move can have left are ignored: their names are not those of entries, or their
    numbers are far above the number `known` of an earlier move.
    """
    names = (key.rpartition("/")[2] for key in store.keys(_history_prefix(channel)))
    numbers = [int(match[1]) for name in names if (match := _NUMBER.fullmatch(name))]
    return max((number for number in numbers if number <= known + _MAX_GAP), default=0)


def append_history(store: ArtifactStore, channel: str, pointer: ChannelPointer) -> int:
    """Append the move in `pointer` to the history, unless it is there; return the move's number.

    If the pointer lacks the number of its move, or if another move has this number, then a person
    has restored the pointer, or an entry is foreign.  In these cases, the move is already the
    newest entry, or is appended after the newest entry.
    """
    known = pointer.move if pointer.move <= _MAX_NUMBER else 0
    number, entry = known, pointer.last_move.to_bytes()
    while number == 0 or not _has_entry(store, _entry_key(channel, number), entry):
        newest = last_number(store, channel, known=known)
        number = newest if newest > number else number + 1
    return number


def next_champions(champions: Sequence[str], move: ChannelMove) -> tuple[str, ...]:
    """Return the champions after a move, newest first, beginning with the current champion.

    If a rollback returned to a version that is not among the champions, this version is older than
    all of them, so none of them remains.
    """
    earlier = list(champions)
    if move.action == "rollback":
        target = move.copy_of or move.to
        earlier = earlier[earlier.index(target) + 1 :] if target in earlier else []
    return (move.to, *earlier[:N_NEWEST])


def list_champions(
    store: ArtifactStore, channel: str, pointer: ChannelPointer | None
) -> tuple[str, ...]:
    """Return the current and the earlier champions of a channel, newest first.

    Champions that a rollback has replaced are left out.

    Raises
    ------
    IntegrityError
        The pointer has no list of champions, and an entry of the history is damaged.
    """
    if pointer is not None and pointer.champions is not None:
        return (pointer.version, *pointer.champions[:N_NEWEST])
    moves = read_moves(store, channel)
    champions = tuple(move.origin for move in moves[:1] if move.origin is not None)
    for move in moves:
        champions = next_champions(champions, move)
    return champions


def previous_version(store: ArtifactStore, channel: str) -> str | None:
    """Return the version that a rollback moves the channel to; None if there is none.

    This is the latest champion before the current one that still exists in the store.  Champions
    that an earlier rollback has replaced are skipped.
    """
    raw = store.get(f"channels/{channel}.json", max_bytes=MAX_RECORD_BYTES)
    pointer = None if raw is None else read_pointer(channel, raw)
    champions = list_champions(store, channel, pointer)
    earlier = [name for name in dict.fromkeys(champions[1:]) if name != champions[0]]
    return next((name for name in earlier if is_complete(store, name)), None)


def _has_entry(store: ArtifactStore, key: str, entry: bytes) -> bool:
    """Create an entry of a history, and return whether the key has this entry now."""
    return store.put_if_absent(key, entry) or store.get(key, max_bytes=MAX_RECORD_BYTES) == entry


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
