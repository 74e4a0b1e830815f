"""Find and remove what nobody will read: unfinished work, and old versions if asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from job.contracts.identity import is_version
from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import MANIFEST
from job.registry.anchors import pointed_versions
from job.registry.channels import list_channels
from job.registry.history import previous_version
from job.registry.removal import remove_version


def prune_versions(
    store: ArtifactStore,
    *,
    before: datetime,
    keep: int | None,
    is_dry_run: bool,
    token: str,
    anchor: str | None = None,
) -> dict[str, Any]:
    """Remove unfinished work older than `before`, and versions past the newest `keep`.

    A version that a channel or its anchor points to, or that a channel would roll back to, is never
    removed, nor is `anchor`, nor a complete one where `keep` is None.

    Parameters
    ----------
    token
        Tells this call from others at the same time.
    """
    folders: dict[str, list[str]] = {}
    for key in store.keys("v"):
        version = key.partition("/")[0]
        if is_version(version):
            folders.setdefault(version, []).append(key)
    complete = sorted(v for v, keys in folders.items() if f"{v}/{MANIFEST}" in keys)
    unfinished = sorted(folders.keys() - set(complete))
    surplus = [] if keep is None else complete[: max(len(complete) - keep, 0)]
    held = {*_held(store), anchor} if surplus else set()
    outdated = [version for version in surplus if version not in held]
    abandoned = [version for version in unfinished if _are_older(store, folders[version], before)]
    traces = [*store.keys("probe/"), *store.keys("removals/")]
    traces = [key for key in traces if _are_older(store, [key], before)]
    if not is_dry_run:
        outdated = [v for v in outdated if _remove_outdated(store, v, token)]
        abandoned = [v for v in abandoned if _remove_abandoned(store, v, before, token)]
        for key in traces:
            store.delete(key)
    uploads = store.clear_unfinished(before, is_dry_run=is_dry_run)
    return {
        "removed_versions": outdated,
        "removed_unfinished": abandoned,
        "removed_uploads": [*uploads, *traces],
        "kept_versions": [version for version in complete if version not in outdated],
        "is_dry_run": is_dry_run,
    }


def _remove_outdated(store: ArtifactStore, version: str, token: str) -> bool:
    """Remove a complete version, if no channel and no anchor has moved to it meanwhile."""

    def is_removable() -> bool:
        return version not in pointed_versions(store)

    return remove_version(store, version, token=token, is_removable=is_removable)


def _remove_abandoned(store: ArtifactStore, version: str, before: datetime, token: str) -> bool:
    """Remove an unfinished folder, if nobody has gone on with it meanwhile."""

    def is_removable() -> bool:
        keys = list(store.keys(f"{version}/"))
        return f"{version}/{MANIFEST}" not in keys and _are_older(store, keys, before)

    return remove_version(store, version, token=token, is_removable=is_removable)


def _held(store: ArtifactStore) -> set[str]:
    previous = {previous_version(store, channel) for channel in list_channels(store)}
    return pointed_versions(store) | {version for version in previous if version is not None}


def _are_older(store: ArtifactStore, keys: list[str], before: datetime) -> bool:
    infos = [store.head(key) for key in keys]
    return all(info is None or info.modified_at < before for info in infos)
