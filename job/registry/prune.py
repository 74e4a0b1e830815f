"""Remove unfinished work, and old versions on request.

How it works
------------
1. List the complete versions and the unfinished ones, which have no manifest.
2. Select the complete versions past the newest `keep`, without those in use: champions, anchors,
   and the versions that channels would roll back to.
3. Select the unfinished versions, probes and removal marks that are older than `before`.
4. Remove each version with `remove_version`, which checks again that it is not in use.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from job.contracts.identity import is_version
from job.contracts.ports import ArtifactStore
from job.contracts.version_files import MANIFEST_FILE
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

    Never removed are `anchor`, the versions that a channel or an anchor points to, and those that a
    channel would roll back to.  If `keep` is None, no complete version is removed.

    Parameters
    ----------
    token
        Distinguishes this call from concurrent ones.
    """
    folders: dict[str, list[str]] = {}
    for key in store.keys("v"):
        version = key.partition("/")[0]
        if is_version(version):
            folders.setdefault(version, []).append(key)
    complete = sorted(v for v, keys in folders.items() if f"{v}/{MANIFEST_FILE}" in keys)
    unfinished = sorted(folders.keys() - set(complete))
    surplus = [] if keep is None else complete[: max(len(complete) - keep, 0)]
    in_use = {*_versions_in_use(store), anchor} if surplus else set()
    outdated = [version for version in surplus if version not in in_use]
    abandoned = [version for version in unfinished if _are_older(store, folders[version], before)]
    leftovers = [*store.keys("probe/"), *store.keys("removals/")]
    leftovers = [key for key in leftovers if _are_older(store, [key], before)]
    if not is_dry_run:
        outdated = [v for v in outdated if _remove_outdated(store, v, token)]
        abandoned = [v for v in abandoned if _remove_abandoned(store, v, before, token)]
        for key in leftovers:
            store.delete(key)
    uploads = store.clear_unfinished(before, is_dry_run=is_dry_run)
    return {
        "removed_versions": outdated,
        "removed_unfinished": abandoned,
        "removed_uploads": [*uploads, *leftovers],
        "kept_versions": [version for version in complete if version not in outdated],
        "is_dry_run": is_dry_run,
    }


def _remove_outdated(store: ArtifactStore, version: str, token: str) -> bool:
    """Remove a complete version, unless a channel or an anchor has moved to it by now."""

    def is_removable() -> bool:
        return version not in pointed_versions(store)

    return remove_version(store, version, token=token, is_removable=is_removable)


def _remove_abandoned(store: ArtifactStore, version: str, before: datetime, token: str) -> bool:
    """Remove an unfinished version, unless a run has continued it by now."""

    def is_removable() -> bool:
        keys = list(store.keys(f"{version}/"))
        return f"{version}/{MANIFEST_FILE}" not in keys and _are_older(store, keys, before)

    return remove_version(store, version, token=token, is_removable=is_removable)


def _versions_in_use(store: ArtifactStore) -> set[str]:
    previous = {previous_version(store, channel) for channel in list_channels(store)}
    return pointed_versions(store) | {version for version in previous if version is not None}


def _are_older(store: ArtifactStore, keys: list[str], before: datetime) -> bool:
    infos = [store.head(key) for key in keys]
    return all(info is None or info.modified_at < before for info in infos)
