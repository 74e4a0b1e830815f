"""Find and remove what nobody will read: unfinished work, and old versions if asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from job.contracts.ports import ArtifactStore
from job.stages.channels import previous_version, read_channel
from job.stages.publish import MANIFEST
from job.stages.versions import is_version


def prune(
    store: ArtifactStore, *, before: datetime, keep: int | None, is_dry_run: bool
) -> dict[str, Any]:
    """Remove unfinished work older than `before`, and versions past the newest `keep`.

    A version that a channel points to, or would roll back to, is never removed; nor is a
    complete one where `keep` is None.
    """
    folders: dict[str, list[str]] = {}
    for key in store.keys("v"):
        version = key.partition("/")[0]
        if is_version(version):
            folders.setdefault(version, []).append(key)
    complete = sorted(v for v, keys in folders.items() if f"{v}/{MANIFEST}" in keys)
    abandoned = [
        version
        for version, keys in sorted(folders.items())
        if version not in complete and _are_older(store, keys, before)
    ]
    held = _held(store)
    surplus = [] if keep is None else complete[: max(len(complete) - keep, 0)]
    outdated = [version for version in surplus if version not in held]
    probes = [key for key in store.keys("probe/") if _are_older(store, [key], before)]
    if not is_dry_run:
        for version in (*outdated, *abandoned):
            # NOTE: without its manifest a version is gone, whatever else is still there
            for key in sorted(folders[version], key=lambda k: not k.endswith(f"/{MANIFEST}")):
                store.delete(key)
        for key in probes:
            store.delete(key)
    uploads = store.clear_unfinished(before, is_dry_run=is_dry_run)
    return {
        "removed_versions": outdated,
        "removed_unfinished": abandoned,
        "removed_uploads": [*uploads, *probes],
        "kept_versions": [version for version in complete if version not in outdated],
        "is_dry_run": is_dry_run,
    }


def _held(store: ArtifactStore) -> set[str]:
    parts = [key.split("/") for key in store.keys("channels/")]
    channels = [p[1].removesuffix(".json") for p in parts if len(p) == 2]
    found = {read_channel(store, channel)[0] for channel in channels}
    found |= {previous_version(store, channel) for channel in channels}
    return {version for version in found if version is not None}


def _are_older(store: ArtifactStore, keys: list[str], before: datetime) -> bool:
    infos = [store.head(key) for key in keys]
    return all(info is None or info.modified_at < before for info in infos)
