"""Publish a bundle (all files of a version) so that readers see a complete version or none.

How it works
------------
1. The lineage files are stored first, outside the version's folder, then the other files.
2. Each file is created only if it does not exist.  A file that exists must have exactly the bytes
   that are to be published: an earlier attempt that was killed has stored it.  Otherwise the file
   is foreign, and nothing is published under this name.
3. If `models prune` is removing the version, or a file is missing, the manifest is not written.
4. A run then records the digest of its manifest, outside the version's folder.  A version with
   another manifest is not the run's, and no attempt of the run promotes it.
5. The manifest is written last; it makes the version visible.  It has the digests of the files that
   the caller passed, never of files that were found in the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from types import MappingProxyType
from typing import Final

from job.contracts.identity import Digest, ModelVersion, canonical_json, run_suffix
from job.contracts.messages import pluralize
from job.contracts.ports import ArtifactStore
from job.contracts.reports.manifest import FileEntry, Manifest
from job.contracts.store_bounds import MAX_MANIFEST_BYTES, MAX_RECORD_BYTES
from job.contracts.version_files import EVALUATION_FILE, MANIFEST_FILE, METADATA_FILE, MODEL_FILE
from job.errors import ForeignFileError, TransientError, VersionConflictError
from job.registry.lineage_files import lineage_key
from job.registry.removal import is_being_removed

# NOTE: PCC ignores the manifest today; in this order metadata.json is missing for one request only.
# The other files depend on these three.  So if two attempts of a run store different files at the
# same time, one of them finds a foreign file before the other one does, and the other one ends.
_FIRST: Final = (MODEL_FILE, METADATA_FILE, EVALUATION_FILE)
_N_THREADS: Final = 4


def name_version(run_id: str, at: datetime, *, copied_from: str | None = None) -> str:
    """Return the name of the version that a run publishes at the time `at`.

    With `copied_from`, return the name of the copy that a rollback makes of that version.
    """
    return str(ModelVersion.of(_owner(run_id, copied_from), at))


def is_named_for(version: str, run_id: str, copied_from: str | None) -> bool:
    """Return whether `version` is named after this run, or after its copy of `copied_from`."""
    return version.endswith(f"_{run_suffix(_owner(run_id, copied_from))}")


def _owner(run_id: str, copied_from: str | None) -> str:
    return run_id if copied_from is None else f"{run_id} {copied_from}"


def is_complete(store: ArtifactStore, version: str) -> bool:
    """Return whether a version is complete, which means that its manifest exists."""
    return store.head(f"{version}/{MANIFEST_FILE}") is not None


def is_published_by(store: ArtifactStore, version: str, run_id: str) -> bool:
    """Return whether a version is complete, and its manifest is the one that the run has recorded.

    Copies that a rollback makes are not recorded.
    """
    record = store.get(_record_key(run_id, version), max_bytes=MAX_RECORD_BYTES)
    if record is None:
        return False
    manifest = store.get(f"{version}/{MANIFEST_FILE}", max_bytes=MAX_MANIFEST_BYTES)
    return manifest is not None and record == _record_of(manifest)


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

    Parameters
    ----------
    lineage
        Lineage files by suffix, stored outside the version's folder; the manifest omits them.

    Raises
    ------
    ForeignFileError
        There is a file under this version's name that differs from `files` or `lineage`.  If the
        version has a manifest, the run has not recorded it.
    VersionConflictError
        Another attempt or a rollback has published this version with other files.
    TransientError
        `models prune` is removing the folder of the version, or has removed a file.
    """
    entries = [FileEntry.of(name, data) for name, data in files.items()]
    manifest = Manifest.of(version, run_id, entries, copied_from=copied_from).to_bytes()
    try:
        for suffix, data in lineage.items():
            _create(store, lineage_key(version, suffix), data)
        _store_files(store, version, files)
        _require_all_present(store, version, files)
        if copied_from is None:
            _create(store, _record_key(run_id, version), _record_of(manifest))
        _create(store, f"{version}/{MANIFEST_FILE}", manifest)
    except ForeignFileError as error:
        if _is_taken(store, version, run_id, copied_from):
            raise _conflict(version) from error
        raise


def _store_files(store: ArtifactStore, version: str, files: Mapping[str, bytes]) -> None:
    """Store the files: those of `_FIRST` one after the other, then the other ones."""

    def create(name: str) -> None:
        _create(store, f"{version}/{name}", files[name])

    for name in _FIRST:
        if name in files:
            create(name)
    with ThreadPoolExecutor(_N_THREADS) as pool:
        list(pool.map(create, sorted(files.keys() - set(_FIRST))))


def _create(store: ArtifactStore, key: str, data: bytes) -> None:
    """Create an object; raise `ForeignFileError` if there is one with other bytes."""
    if store.put_if_absent(key, data):
        return
    exists, n_equal = False, 0
    with closing(store.pieces(key)) as pieces:
        for piece in pieces:
            exists = True
            if piece != data[n_equal : n_equal + len(piece)]:
                raise _foreign(key)
            n_equal += len(piece)
    if not exists:
        raise TransientError(f"'{key}' was removed during the run", hint="run again")
    if n_equal < len(data):
        raise _foreign(key)


def _require_all_present(store: ArtifactStore, version: str, files: Mapping[str, bytes]) -> None:
    """Raise an error unless the version's folder has exactly these files.

    `TransientError` means that `models prune` is removing the version, or has removed a file.

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
    present = set(store.keys(f"{version}/")) - {f"{version}/{MANIFEST_FILE}"}
    expected = {f"{version}/{name}" for name in files}
    if missing := expected - present:
        raise TransientError(
            f"cannot publish {version}: {pluralize(len(missing), 'file')} disappeared during the "
            "run",
            hint="run again",
        )
    if unknown := present - expected:
        raise _foreign(min(unknown))


def _is_taken(store: ArtifactStore, version: str, run_id: str, copied_from: str | None) -> bool:
    """Return whether another attempt of the run, or a rollback, has published the version."""
    if copied_from is None:
        return is_published_by(store, version, run_id)
    return is_complete(store, version)


def _record_key(run_id: str, version: str) -> str:
    return f"runs/{run_id}/published/{version}.json"


def _record_of(manifest: bytes) -> bytes:
    return canonical_json({"manifest_digest": str(Digest.of(manifest))})


def _foreign(key: str) -> ForeignFileError:
    return ForeignFileError(
        f"'{key}' is not the file that was to be published there",
        hint="find out who stored it, then run again",
        key=key,
    )


def _conflict(version: str) -> VersionConflictError:
    return VersionConflictError(
        f"cannot publish {version}: it already exists with other files",
        hint="another attempt of this run, or a rollback with --republish, has published it "
        f"meanwhile; `pcc-job models show {version}` shows which of them",
    )
