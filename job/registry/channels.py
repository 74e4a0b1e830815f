"""Move channels and anchors, which are pointers to a version, by compare-and-swap.

How it works
------------
1. A pointer is one object, `channels/NAME.json`.  It holds the complete last move.
2. If the process that made the last move was killed, the history may lack that move.  Therefore the
   next move first appends the last move, if it is missing.
3. The pointer is replaced only if its bytes have not changed since it was read; otherwise the move
   is a conflict.
4. After the swap the move is appended to the history.
5. Finally the version is checked: if `models prune` is removing it, the pointer is moved back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from job.contracts.messages import quote_list
from job.contracts.ports import ArtifactStore
from job.contracts.reports.channel import Action, ChannelPointer
from job.contracts.store_bounds import MAX_RECORD_BYTES
from job.contracts.store_keys import ProbeStep, anchored_channel, describe_pointer, promote_command
from job.errors import ConfigurationError, IntegrityError, VersionConflictError
from job.registry.history import (
    append_history,
    last_number,
    list_champions,
    next_champions,
    read_moves,
    read_pointer,
)
from job.registry.publish import is_complete
from job.registry.removal import is_being_removed

_CONDITIONAL_STEPS: Final = ("creates_once", "swaps")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveReason:
    """Who moves a pointer, when and why; recorded in the history.

    Attributes
    ----------
    at
        Time of the move, ISO 8601.
    by
        Run id or operator.
    copy_of
        Name of an earlier version, if a rollback moves the pointer to a copy of it; otherwise None.
    """

    at: str
    by: str
    why: str
    action: Action = "promote"
    copy_of: str | None = None


def read_channel(store: ArtifactStore, channel: str) -> tuple[str | None, bytes | None]:
    """Return the version that a channel points to, and the bytes of the channel's pointer.

    Both are None if the channel does not exist.
    """
    raw = store.get(f"channels/{channel}.json", max_bytes=MAX_RECORD_BYTES)
    return (None, None) if raw is None else (read_pointer(channel, raw).version, raw)


def list_channels(store: ArtifactStore) -> dict[str, str | None]:
    """Return a dictionary from the name of each channel to the version that it points to."""
    names = [name for name in list_pointers(store) if anchored_channel(name) is None]
    return {name: read_channel(store, name)[0] for name in names}


def missing_channel(store: ArtifactStore, channel: str) -> ConfigurationError:
    """Return the error for a channel that does not exist; the error lists the existing channels."""
    return ConfigurationError(
        f"channel '{channel}' does not exist in '{store.uri}'",
        hint="use an existing channel; channels: "
        f"{quote_list(sorted(list_channels(store))) or 'none yet'}",
    )


def list_pointers(store: ArtifactStore) -> list[str]:
    """Return the sorted names of all pointers, which include channels and anchors."""
    names = [name for name in store.names("channels/") if not name.endswith("/")]
    return sorted(name.removeprefix("channels/").removesuffix(".json") for name in names)


def require_conditions(store_uri: str, steps: tuple[ProbeStep, ...]) -> None:
    """Raise an error unless the store enforces conditional writes.

    Parameters
    ----------
    steps
        The results of `ArtifactStore.probe`.

    Raises
    ------
    ConfigurationError
        The store ignores conditions of writes, so two concurrent moves of a pointer would both
        appear to succeed.
    """
    for step in steps:
        if step.name in _CONDITIONAL_STEPS and not step.is_met:
            raise ConfigurationError(
                f"'{store_uri}' does not enforce conditional writes (If-Match, If-None-Match; it "
                f"answered {step.answer}): versions can be published, but channels cannot be moved "
                "safely",
                hint="use a store with conditional writes, or use --set publish.channel=null",
            )


def move_channel(
    store: ArtifactStore,
    channel: str,
    version: str,
    *,
    expected: bytes | None,
    reason: MoveReason,
) -> None:
    """Move a channel to a version; do nothing if the channel already points to it.

    The new pointer contains the complete move.  If this process is killed before it appends the
    move to the history, the next process that moves the channel appends it.

    Raises
    ------
    VersionConflictError
        Another run or operator has moved the channel first, or is removing the version.
    """
    before = None if expected is None else read_pointer(channel, expected)
    if before is not None and before.version == version:
        append_history(store, channel, before)
        return
    pointer = _next_pointer(store, channel, version, before=before, reason=reason)
    if not _swap(store, channel, expected, pointer):
        _check_moved_by_same_run(store, channel, version, reason.by)
        return
    _require_not_removed(store, channel, pointer, before)


def create_pointer(store: ArtifactStore, channel: str, version: str, reason: MoveReason) -> bool:
    """Create a pointer that does not exist yet, and return whether this caller has created it.

    The result is also True if another attempt (process) of the same run has created the pointer, or
    if this call has created it but the store's response was lost.

    Raises
    ------
    VersionConflictError
        Another process is removing the version.
    """
    pointer = _next_pointer(store, channel, version, before=None, reason=reason)
    if _swap(store, channel, None, pointer):
        _require_not_removed(store, channel, pointer, None)
        return True
    raw = store.get(f"channels/{channel}.json", max_bytes=MAX_RECORD_BYTES)
    present = None if raw is None else read_pointer(channel, raw)
    if present is None or (present.version, present.run_id) != (version, reason.by):
        return False
    append_history(store, channel, present)
    return True


def _next_pointer(
    store: ArtifactStore,
    channel: str,
    version: str,
    *,
    before: ChannelPointer | None,
    reason: MoveReason,
) -> ChannelPointer:
    """Return the pointer after the next move; append the last move, in `before`, if it is missing.

    A damaged entry of the history does not prevent a move: the list of champions is then missing.
    """
    last = append_history(store, channel, before) if before else last_number(store, channel)
    pointer = ChannelPointer(
        version=version,
        promoted_at=reason.at,
        run_id=reason.by,
        move=last + 1,
        origin=None if before is None else before.version,
        why=reason.why,
        action=reason.action,
        copy_of=reason.copy_of,
    )
    try:
        champions = list_champions(store, channel, before)
    except IntegrityError:
        return pointer
    return pointer.copy_with(champions=next_champions(champions, pointer.last_move)[1:])


def _swap(
    store: ArtifactStore, channel: str, expected: bytes | None, pointer: ChannelPointer
) -> bool:
    if not store.compare_and_swap(f"channels/{channel}.json", expected, pointer.to_bytes()):
        return False
    append_history(store, channel, pointer)
    return True


def _check_moved_by_same_run(store: ArtifactStore, channel: str, version: str, by: str) -> None:
    """Raise `VersionConflictError`, unless another attempt of run `by` has made the same move."""
    present, _ = read_channel(store, channel)
    moves = read_moves(store, channel)
    if present == version or any(m.to == version and m.by == by for m in moves):
        return
    change = f"moved it to {present}" if present else "removed its pointer"
    compare = f", compare them with `pcc-job models diff {present} {version}`" if present else ""
    raise VersionConflictError(
        f"{describe_pointer(channel)} was not moved to {version}: another run or operator {change} "
        "first",
        hint=f"{version} is published; see `pcc-job models history`{compare}, then run "
        f"{promote_command(channel, version)} if it is the better one",
    )


def _require_not_removed(
    store: ArtifactStore, channel: str, pointer: ChannelPointer, before: ChannelPointer | None
) -> None:
    """If `models prune` is removing the new version, undo the move and raise an error."""
    version, origin = pointer.version, pointer.origin
    if is_complete(store, version) and not is_being_removed(store, version):
        return
    if before is not None:
        reverse = ChannelPointer(
            version=before.version,
            promoted_at=pointer.promoted_at,
            run_id=pointer.run_id,
            move=pointer.move + 1,
            origin=version,
            why=f"{version} was being removed",
            action="rollback",
            champions=before.champions,
        )
        _swap(store, channel, pointer.to_bytes(), reverse)
    result = f"stays at {origin}" if origin else "has no version that can be used"
    raise VersionConflictError(
        f"{version} is being removed by `models prune`, so {describe_pointer(channel)} {result}",
        hint="see `pcc-job models list` and `pcc-job models history`, then promote an existing "
        "version",
    )
