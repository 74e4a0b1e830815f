"""Publish a bundle (all files of a version) so that readers see a complete version or none.

How it works
------------
1. The lineage files are stored first, outside the version's folder.
2. Each file is created only if it does not exist.  A file that an earlier process of the same run
   has stored is kept, and becomes part of the version.
3. If `models prune` is removing the version, or a file is missing, the manifest is not written.
4. The manifest is written last; it makes the version visible.  It has the digests of the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import MappingProxyType
from typing import Final

import structlog

from job.contracts.identity import ModelVersion, run_suffix
from job.contracts.messages import pluralize
from job.contracts.ports import ArtifactStore
from job.contracts.reports.manifest import FileEntry, Manifest
from job.contracts.reports.metadata import PromotionTerms
from job.contracts.store_bounds import MAX_FILE_BYTES
from job.contracts.version_files import MANIFEST_FILE, METADATA_FILE, MODEL_FILE
from job.errors import TransientError, VersionConflictError
from job.registry.lineage_files import lineage_key
from job.registry.parse_file import parse_file
from job.registry.removal import is_being_removed

log = structlog.get_logger(__name__)
# NOTE: PCC ignores the manifest today; in this order metadata.json is missing for one request only
_FIRST: Final = (MODEL_FILE, METADATA_FILE)
_N_THREADS: Final = 4


def name_version(run_id: str, at: datetime, *, copied_from: str | None = None) -> str:
    """Return the name of the version that a run publishes at the time `at`.

    With `copied_from`, return the name of the copy that a rollback makes of that version.
    """
    return str(ModelVersion.of(_owner(run_id, copied_from), at))


def is_named_for(version: str, run_id: str, copied_from: str | None) -> bool:
    """Return whether `version` has the suffix of this run id, or of its copy of `copied_from`."""
    return version.endswith(f"_{run_suffix(_owner(run_id, copied_from))}")


def _owner(run_id: str, copied_from: str | None) -> str:
    return run_id if copied_from is None else f"{run_id} {copied_from}"


def is_complete(store: ArtifactStore, version: str) -> bool:
    """Return whether a version is complete, which means that its manifest exists."""
    return store.head(f"{version}/{MANIFEST_FILE}") is not None


def publish(
    store: ArtifactStore,
    version: str,
    run_id: str,
    files: Mapping[str, bytes],
    *,
    lineage: Mapping[str, bytes] = MappingProxyType({}),
    copied_from: str | None = None,
) -> None:
    """Store all files of a version; the version exists as soon as the manifest is stored.

    Files are never changed.  A file that an earlier process of the same run has stored is kept, and
    the manifest describes the kept file.

    Parameters
    ----------
    lineage
        Lineage files by suffix.  They are stored outside the version's folder, and are not listed
        in the manifest.

    Raises
    ------
    VersionConflictError
        The version's name belongs to another run.
    TransientError
        `models prune` is removing the folder of the version, or has removed a file.
    """
    for suffix, data in lineage.items():
        store.put_if_absent(lineage_key(version, suffix), data)
    entries = _store_files(store, version, run_id, files, is_copy=copied_from is not None)
    _require_all_present(store, version, [entry.name for entry in entries])
    manifest = Manifest.of(version, run_id, entries, copied_from=copied_from)
    _create(store, version, MANIFEST_FILE, manifest.to_bytes())


def _store_files(
    store: ArtifactStore, version: str, run_id: str, files: Mapping[str, bytes], *, is_copy: bool
) -> list[FileEntry]:
    """Store the files, `_FIRST` first, and return the manifest's entries of the stored files."""
    with ThreadPoolExecutor(_N_THREADS) as pool:
        measured = {name: pool.submit(FileEntry.of, name, data) for name, data in files.items()}
        stored = {name: _create(store, version, name, files[name]) for name in _FIRST}
        name = f"{version}/{METADATA_FILE}"
        terms = [parse_file(PromotionTerms, name, s[METADATA_FILE]) for s in (stored, files)]
        _require_same_run(version, run_id, *terms, is_copy=is_copy)
        rest = sorted(name for name in files if name not in _FIRST)
        contents = pool.map(lambda name: _create(store, version, name, files[name]), rest)
        stored |= dict(zip(rest, contents, strict=True))
    return [
        measured[name].result() if data is files[name] else FileEntry.of(name, data)
        for name, data in stored.items()
    ]


def _require_same_run(
    version: str, run_id: str, stored: PromotionTerms, ours: PromotionTerms, *, is_copy: bool
) -> None:
    """Raise `VersionConflictError` if stored and new metadata differ in run id or override.

    A copy (`is_copy`) has the metadata of the original version, so its run id is not checked.
    """
    if stored.run_id not in (run_id, None) and not is_copy:
        raise VersionConflictError(
            f"cannot publish {version}: it already exists and belongs to run '{stored.run_id}'",
            hint="run again with another --run-id",
        )
    if stored.override != ours.override:
        raise VersionConflictError(
            f"cannot publish {version}: an interrupted attempt of run '{run_id}' stored "
            "it with another override",
            hint="run again with another --run-id",
        )


def _require_all_present(store: ArtifactStore, version: str, names: Iterable[str]) -> None:
    """Raise `TransientError` if `models prune` is removing the version, or has removed a file.

    NOTE: check the removal mark before the files.  A removal deletes the mark last, so in the other
    order, a removal that ends between the two checks would go unnoticed.
    """
    if is_being_removed(store, version):
        raise TransientError(
            f"{version} is being removed by `models prune` as abandoned",
            hint="wait until `models prune` has ended, then run the job again; if prune was "
            f"killed, run `pcc-job models prune` again once its mark in removals/{version}/ is "
            "older than store.abandoned_after_hours",
        )
    missing = {f"{version}/{name}" for name in names} - set(store.keys(f"{version}/"))
    if missing:
        raise TransientError(
            f"cannot publish {version}: {pluralize(len(missing), 'file')} disappeared during the "
            "run",
            hint="run again",
        )


def _create(store: ArtifactStore, version: str, name: str, data: bytes) -> bytes:
    """Create a file of a version, and return the bytes that the store has for this file.

    The returned bytes differ from `data` if another process has stored the file before.
    """
    key = f"{version}/{name}"
    if store.put_if_absent(key, data):
        return data
    existing = store.get(key, max_bytes=MAX_FILE_BYTES)
    if existing is None:
        raise TransientError(f"'{key}' was removed during the run", hint="run again")
    if existing != data:
        log.info("earlier_file_kept", key=key)
    return existing
