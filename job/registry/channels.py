"""The champion of a channel: a pointer that moves by compare-and-swap; an anchor is one too."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import ProbeStep, anchored_channel, describe_pointer, promote_command
from job.errors import ConfigurationError, VersionConflictError
from job.registry.history import ChannelMove, append_history, next_number, read_moves, read_pointer
from job.registry.publish import is_complete
from job.registry.removal import is_being_removed

_UNCONDITIONAL: Final = ("creates_once", "swaps")


def read_channel(store: ArtifactStore, channel: str) -> tuple[str | None, bytes | None]:
    """Return the version a channel points to, and the pointer's bytes."""
    raw = store.get(f"channels/{channel}.json")
    return (None, None) if raw is None else (read_pointer(channel, raw).to, raw)


def list_channels(store: ArtifactStore) -> dict[str, str | None]:
    """Return each channel's version."""
    names = [name for name in list_pointers(store) if anchored_channel(name) is None]
    return {name: read_channel(store, name)[0] for name in names}


def list_pointers(store: ArtifactStore) -> list[str]:
    """Return the names of all pointers, of channels and of anchors, sorted."""
    keys = [key.split("/") for key in store.keys("channels/")]
    return sorted(k[1].removesuffix(".json") for k in keys if len(k) == 2)


def require_conditions(store_uri: str, steps: tuple[ProbeStep, ...]) -> None:
    """Refuse to move a channel in a store that ignores conditions.

    Raises
    ------
    ConfigurationError
        Two who move the pointer at once would both be told that they won.
    """
    for step in steps:
        if step.name in _UNCONDITIONAL and not step.is_met:
            raise ConfigurationError(
                f"'{store_uri}' ignores conditional writes (it answered {step.answer}), so no "
                "channel can be moved there; versions can be published",
                hint="use a store with conditional writes, or set publish.channel to null",
            )


def promote(
    store: ArtifactStore,
    channel: str,
    version: str,
    *,
    expected: bytes | None,
    at: str,
    by: str,
    why: str,
    action: Literal["promote", "rollback"] = "promote",
    copy_of: str | None = None,
) -> None:
    """Move a channel to a version; where it is there already, nothing moves.

    The pointer holds its whole move, so that a history entry that a killed process left out is
    written by the next one that moves the channel.

    Raises
    ------
    VersionConflictError
        Somebody else moved it first, or is removing the version.
    """
    before = None if expected is None else read_pointer(channel, expected)
    if before is not None:
        append_history(store, channel, before)
        if before.to == version:
            return
    move = ChannelMove(
        number=next_number(store, channel, before),
        to=version,
        origin=None if before is None else before.to,
        at=at,
        by=by,
        why=why,
        action=action,
        copy_of=copy_of,
    )
    if not _swap(store, channel, expected, move):
        _check_moved_by_twin(store, channel, version, by)
        return
    _require_kept(store, channel, move)


def create_pointer(
    store: ArtifactStore, channel: str, version: str, *, at: str, by: str, why: str
) -> bool:
    """Create a pointer that does not exist yet, and return whether it is the caller's.

    Another attempt of the same run, or a request whose answer was lost, counts as the caller.

    Raises
    ------
    VersionConflictError
        Somebody is removing the version.
    """
    move = ChannelMove(
        number=next_number(store, channel, None),
        to=version,
        origin=None,
        at=at,
        by=by,
        why=why,
        action="promote",
    )
    if _swap(store, channel, None, move):
        _require_kept(store, channel, move)
        return True
    raw = store.get(f"channels/{channel}.json")
    present = None if raw is None else read_pointer(channel, raw)
    if present is None or (present.to, present.by) != (version, by):
        return False
    append_history(store, channel, present)
    return True


def _swap(store: ArtifactStore, channel: str, expected: bytes | None, move: ChannelMove) -> bool:
    if not store.compare_and_swap(f"channels/{channel}.json", expected, move.pointer()):
        return False
    append_history(store, channel, move)
    return True


def _check_moved_by_twin(store: ArtifactStore, channel: str, version: str, by: str) -> None:
    """Accept that another attempt of the same run has moved the channel to the same version."""
    present, _ = read_channel(store, channel)
    moves = read_moves(store, channel)
    if present == version or any(m.to == version and m.by == by for m in moves):
        return
    raise VersionConflictError(
        f"{describe_pointer(channel)} was moved to {present} by somebody else, not to {version}",
        hint=f"{version} is published; look at `pcc-job models list` and `history`, then run "
        f"{promote_command(channel, version)} if it is the better one",
    )


def _require_kept(store: ArtifactStore, channel: str, move: ChannelMove) -> None:
    """Take a move back whose version is being removed: `models prune` saw the old pointer."""
    if is_complete(store, move.to) and not is_being_removed(store, move.to):
        return
    if move.origin is not None:
        why, number = f"{move.to} was being removed", move.number + 1
        back = replace(
            move, number=number, to=move.origin, origin=move.to, action="rollback", why=why
        )
        _swap(store, channel, move.pointer(), replace(back, copy_of=None))
    raise VersionConflictError(
        f"{move.to} is being removed by `models prune`, so {describe_pointer(channel)} stays at "
        f"{move.origin}",
        hint="look at `pcc-job models list` and `history`, then promote a version that is there",
    )
