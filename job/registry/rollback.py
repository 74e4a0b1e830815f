"""Move a channel back to an earlier champion.

How it works
------------
1. Find the latest earlier champion that still exists and was not rolled back.
2. On request, publish a copy of this version as the newest version, for consumers that ignore
   channels and load the newest version.
3. Move the channel by compare-and-swap.  If another move came first, remove the copy again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from job.contracts.identity import ModelVersion
from job.contracts.ports import ArtifactStore
from job.contracts.reports.results import MoveResult
from job.contracts.store_keys import promote_command
from job.contracts.version_files import MANIFEST_FILE
from job.errors import ConfigurationError, VersionConflictError
from job.registry.anchors import pointed_versions
from job.registry.channels import MoveReason, missing_channel, move_channel, read_channel
from job.registry.history import previous_version
from job.registry.lineage_files import read_lineage_files
from job.registry.list_versions import list_folders
from job.registry.promotion import actor_token, require_store_conditions
from job.registry.publish import is_complete, name_version, publish
from job.registry.read_manifest import copied_from
from job.registry.read_version import read_verified, verify_files
from job.registry.removal import remove_version

_SECOND: Final = timedelta(seconds=1)


def roll_back(
    store: ArtifactStore,
    channel: str,
    *,
    at: datetime,
    by: str,
    is_republished: bool,
    is_dry_run: bool = False,
    reason: str | None = None,
) -> MoveResult:
    """Move a channel back to the latest earlier champion that still exists.

    With `is_republished`, publish a copy as the newest version, for consumers that ignore channels.
    With `is_dry_run`, only find and verify the version: nothing is written, and no copy is named.
    The history gets the operator's `reason`, if there is one.

    Raises
    ------
    ConfigurationError
        The channel does not exist, or has no earlier champion.
    """
    present, pointer = read_channel(store, channel)
    if pointer is None or (origin := previous_version(store, channel)) is None:
        raise _no_previous(store, channel, pointer)
    if is_dry_run:
        verify_files(store, origin)
        return MoveResult(channel=channel, origin=present, to=origin, is_dry_run=True)
    require_store_conditions(store, by)
    target = _republish(store, origin, at=at, by=by) if is_republished else origin
    verify_files(store, target)
    why = _describe_rollback(origin, target, at=at, by=by, reason=reason)
    try:
        move_channel(store, channel, target, expected=pointer, reason=why)
    except VersionConflictError:
        if target != origin:
            _remove_copy(store, target, by)
        raise
    return MoveResult(channel=channel, origin=present, to=target)


def _describe_rollback(
    origin: str, target: str, *, at: datetime, by: str, reason: str | None
) -> MoveReason:
    """Return the reason of a move back to `origin`, or to `target`, which is a copy of `origin`."""
    what = f"rolled back to {origin}"
    return MoveReason(
        at=at.astimezone(UTC).isoformat(),
        by=by,
        why=what if reason is None else f"{what}: {reason}",
        action="rollback",
        copy_of=None if target == origin else origin,
    )


def _no_previous(store: ArtifactStore, channel: str, pointer: bytes | None) -> ConfigurationError:
    if pointer is None:
        return missing_channel(store, channel)
    return ConfigurationError(
        f"cannot roll back channel '{channel}': it has no earlier version",
        hint="`pcc-job models list` shows the versions; "
        f"{promote_command(channel, 'VERSION')} moves the channel to one of them",
    )


def _republish(store: ArtifactStore, origin: str, *, at: datetime, by: str) -> str:
    """Publish a copy of version `origin` as the newest version, and return the copy's name.

    Nothing is published if the newest version is `origin` or already a copy of `origin`.  An
    earlier call that was killed before it moved the channel may have left such a copy.  If `origin`
    is a copy itself, the manifest of the new copy names the original version.
    """
    newest, original = list_folders(store)[-1], copied_from(store, origin) or origin
    if newest == origin or (is_complete(store, newest) and copied_from(store, newest) == original):
        return newest
    files = read_verified(store, origin)
    del files[MANIFEST_FILE]
    copy = name_version(by, _after(newest, at), copied_from=original)
    lineage = dict(read_lineage_files(store, origin))
    publish(store, copy, by, files, lineage=lineage, copied_from=original)
    return copy


def _after(newest: str, at: datetime) -> datetime:
    """Return the later of `at` and the time in the version name `newest` plus one second."""
    try:
        stamp = datetime.strptime(ModelVersion.parse(newest).stamp, "%Y%m%d_%H%M%S")
        return max(at, stamp.replace(tzinfo=UTC) + _SECOND)
    except (ValueError, OverflowError):
        raise ConfigurationError(
            "cannot republish the previous champion: its copy must be the newest version, but the "
            f"time in the name of folder '{newest}' is invalid or too far in the future",
            hint="find out who created the folder, then delete it, or run again without "
            "--republish",
        ) from None


def _remove_copy(store: ArtifactStore, copy: str, by: str) -> None:
    """Remove a copy that no channel points to, before more consumers load it as the newest."""
    remove_version(
        store,
        copy,
        token=actor_token(by),
        is_removable=lambda: copy not in pointed_versions(store),
    )
