"""Remove unfinished versions and, on request, old ones.

How it works
------------
1. List the complete versions and the unfinished ones, which have no manifest.  Lineage files
   without a version also count as an unfinished version.
2. Select the complete versions that are older than the newest `keep` and not in use.  A version is
   in use if a channel or an anchor points to it, or if a channel would roll back to it.
3. Select the unfinished versions, objects of probes (tests of the store) and removal marks that are
   older than `before`.
4. Remove each version with `remove_version`, which checks again that it is not in use.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from job.contracts.identity import is_version
from job.contracts.ports import ArtifactStore
from job.contracts.reports.results import PruneResult
from job.contracts.version_files import MANIFEST_FILE
from job.registry.anchors import pointed_versions
from job.registry.channels import list_channels
from job.registry.history import previous_version
from job.registry.lineage_files import lineage_key, list_lineage_files
from job.registry.removal import remove_version


@dataclass(frozen=True, slots=True, kw_only=True)
class _Versions:
    """The versions of a store, sorted by name.

    Attributes
    ----------
    complete
        Versions with a manifest.
    unfinished
        When the newest file of each version without a manifest was written, by the store's clock.
        A version's lineage files count as well.
    """

    complete: list[str]
    unfinished: dict[str, datetime]


def prune_versions(
    store: ArtifactStore,
    *,
    before: datetime,
    keep: int | None,
    is_dry_run: bool,
    token: str,
    anchor: str | None = None,
) -> PruneResult:
    """Remove unfinished versions older than `before`, and complete versions that are outdated.

    A complete version is outdated if it is older than the newest `keep` versions and not in use.  A
    version is in use if a channel or an anchor points to it, or if a channel would roll back to it.

    Parameters
    ----------
    before
        A time by the store's clock (`ArtifactStore.read_clock`).
    keep
        Number of complete versions to keep; None keeps all.
    anchor
        Version that `gate.anchor` names, which also counts as in use; None without one.
    """
    versions = _list_versions(store)
    complete = versions.complete
    outdated = _find_outdated(store, complete, keep, anchor)
    abandoned = [name for name, at in versions.unfinished.items() if at < before]
    leftovers = _list_leftovers(store, before)
    if not is_dry_run:
        outdated = [v for v in outdated if _remove_outdated(store, v, token)]
        abandoned = [v for v in abandoned if _remove_abandoned(store, v, before, token)]
        _delete_all(store, leftovers)
    uploads = store.clear_unfinished(before, is_dry_run=is_dry_run)
    return PruneResult(
        removed_versions=tuple(outdated),
        removed_unfinished=tuple(abandoned),
        removed_uploads=(*uploads, *leftovers),
        kept_versions=tuple(version for version in complete if version not in outdated),
        is_dry_run=is_dry_run,
    )


def _delete_all(store: ArtifactStore, keys: list[str]) -> None:
    for key in keys:
        store.delete(key)


def _list_leftovers(store: ArtifactStore, before: datetime) -> list[str]:
    """Return the keys of probes and removal marks that are older than `before`."""
    return [
        key
        for folder in ("probe/", "removals/")
        for key, info in store.entries(folder)
        if info.modified_at < before
    ]


def _list_versions(store: ArtifactStore) -> _Versions:
    complete, times = set(), defaultdict(list)
    for key, info in store.entries("v"):
        version, _, name = key.partition("/")
        if is_version(version):
            times[version].append(info.modified_at)
            complete |= {version} if name == MANIFEST_FILE else set()
    for version, _, info in list_lineage_files(store):
        times[version].append(info.modified_at)
    unfinished = {version: max(times[version]) for version in sorted(times.keys() - complete)}
    return _Versions(complete=sorted(complete), unfinished=unfinished)


def _find_outdated(
    store: ArtifactStore, complete: list[str], keep: int | None, anchor: str | None
) -> list[str]:
    """Return the versions that are older than the newest `keep` and not in use."""
    surplus = [] if keep is None else complete[: max(len(complete) - keep, 0)]
    in_use = {*_versions_in_use(store), anchor} if surplus else set()
    return [version for version in surplus if version not in in_use]


def _remove_outdated(store: ArtifactStore, version: str, token: str) -> bool:
    """Remove a complete version, unless a channel or an anchor has moved to it meanwhile."""

    def is_removable() -> bool:
        return version not in pointed_versions(store)

    return remove_version(store, version, token=token, is_removable=is_removable)


def _remove_abandoned(store: ArtifactStore, version: str, before: datetime, token: str) -> bool:
    """Remove an unfinished version, unless a run has continued it meanwhile."""

    def is_removable() -> bool:
        found = {
            **dict(store.entries(f"{version}/")),
            **dict(store.entries(lineage_key(version, "."))),
        }
        is_old = all(info.modified_at < before for info in found.values())
        return f"{version}/{MANIFEST_FILE}" not in found and is_old

    return remove_version(store, version, token=token, is_removable=is_removable)


def _versions_in_use(store: ArtifactStore) -> set[str]:
    previous = {previous_version(store, channel) for channel in list_channels(store)}
    return pointed_versions(store) | {version for version in previous if version is not None}
