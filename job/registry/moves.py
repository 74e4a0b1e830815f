"""Move a channel or its anchor by hand: to a version, or back to an earlier champion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from job.contracts.digest import Digest, ModelVersion, is_version
from job.contracts.ports import ArtifactStore
from job.contracts.stored import MANIFEST, anchor_pointer, describe_pointer
from job.errors import ConfigurationError, VersionConflictError
from job.registry.reading import verify
from job.stages import channels
from job.stages.anchors import pointed_versions, read_anchor, set_anchor
from job.stages.channels import read_channel
from job.stages.history import previous_version
from job.stages.publish import is_complete, name_version, publish
from job.stages.removal import remove_version
from job.stages.versions import copied_from, read_verified

_SECOND: Final = timedelta(seconds=1)


def promote(
    store: ArtifactStore, channel: str, version: str, *, at: datetime, by: str, expect: str | None
) -> dict[str, Any]:
    """Move a channel to a verified version.

    Raises
    ------
    VersionConflictError
        The channel is not at `expect`, or moved meanwhile; both versions are named.
    IntegrityError
        The version is damaged.
    """
    verify(store, version)
    present, pointer = read_channel(store, channel)
    _require_at(channel, present, expect)
    _require_conditions(store, by)
    channels.promote(
        store,
        channel,
        version,
        expected=pointer,
        at=at.astimezone(UTC).isoformat(),
        by=by,
        why="promoted by hand",
    )
    return {"channel": channel, "from": present, "to": version}


def promote_anchor(
    store: ArtifactStore, channel: str, version: str, *, at: datetime, by: str, expect: str | None
) -> dict[str, Any]:
    """Move the anchor of a channel to a verified version; the channel stays where it is.

    Raises
    ------
    VersionConflictError
        The anchor is not at `expect`, or was set or moved meanwhile; both versions are named.
    IntegrityError
        The version, or the anchor's pointer, is damaged.
    """
    verify(store, version)
    present, pointer = read_anchor(store, channel)
    _require_at(anchor_pointer(channel), present, expect)
    _require_conditions(store, by)
    is_set = set_anchor(
        store,
        channel,
        version,
        expected=pointer,
        at=at.astimezone(UTC).isoformat(),
        by=by,
        why="set by hand",
    )
    if not is_set:
        _require_at(anchor_pointer(channel), read_anchor(store, channel)[0], version)
    return {"channel": channel, "anchor_from": present, "anchor_to": version}


def roll_back(
    store: ArtifactStore, channel: str, *, at: datetime, by: str, is_republished: bool
) -> dict[str, Any]:
    """Move a channel back to the champion before the present one.

    Parameters
    ----------
    is_republished
        Copy that version's bytes under a new name, for consumers that take the newest folder.

    Raises
    ------
    ConfigurationError
        The channel has no earlier champion.
    """
    _require_conditions(store, by)
    present, pointer = read_channel(store, channel)
    origin = previous_version(store, channel)
    if pointer is None or origin is None:
        raise ConfigurationError(
            f"channel '{channel}' has no earlier version", hint="promote one by name"
        )
    target = _republish(store, origin, at=at, by=by) if is_republished else origin
    verify(store, target)
    try:
        channels.promote(
            store,
            channel,
            target,
            expected=pointer,
            at=at.astimezone(UTC).isoformat(),
            by=by,
            why=f"rolled back to {origin}",
            action="rollback",
            copy_of=None if target == origin else origin,
        )
    except VersionConflictError:
        if target != origin:
            _take_back(store, target, by)
        raise
    return {"channel": channel, "from": present, "to": target}


def _republish(store: ArtifactStore, origin: str, *, at: datetime, by: str) -> str:
    """Have an older version's bytes in the folder with the greatest name, and name it.

    What an earlier call has left there, ended before it moved the channel, is taken as it is.
    """
    folders = {key.partition("/")[0] for key in store.keys("v")}
    newest = max(name for name in folders if is_version(name))
    if newest == origin or (is_complete(store, newest) and copied_from(store, newest) == origin):
        return newest
    files = read_verified(store, origin)
    del files[MANIFEST]
    copy = name_version(by, _after(newest, at), copied_from=origin)
    publish(store, copy, by, files, copied_from=origin)
    return copy


def _after(newest: str, at: datetime) -> datetime:
    """Give a time whose name sorts after the newest folder's, also where a clock was ahead."""
    try:
        stamp = datetime.strptime(ModelVersion.parse(newest).stamp, "%Y%m%d_%H%M%S")
        return max(at, stamp.replace(tzinfo=UTC) + _SECOND)
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"no name sorts after the folder '{newest}'",
            hint="find out who made it, and remove it",
        ) from None


def _take_back(store: ArtifactStore, copy: str, by: str) -> None:
    """Remove a copy that no channel got to, before more consumers take it for the newest."""
    remove_version(
        store,
        copy,
        token=_token(by),
        may_go=lambda: copy not in pointed_versions(store),
    )


def _require_at(pointer: str, present: str | None, expect: str | None) -> None:
    """Raise `VersionConflictError` where a pointer is not at the version that is expected."""
    if expect is not None and present != expect:
        raise VersionConflictError(
            f"{describe_pointer(pointer)} is at {present}, not at {expect}",
            hint="look at `pcc-job models history`, then decide",
        )


def _require_conditions(store: ArtifactStore, by: str) -> None:
    channels.require_conditions(store.uri, store.probe(_token(by)))


def _token(by: str) -> str:
    """Give a key's part for whoever acts; a user's name may hold anything."""
    return Digest.of(by.encode()).hex[:16]
