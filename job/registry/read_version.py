"""List the complete versions, and read their files verified by the manifest."""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final

from job.contracts.identity import Digest, is_version
from job.contracts.messages import quote_list
from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import is_key
from job.contracts.version_files import MANIFEST_FILE, METADATA_FILE
from job.errors import IntegrityError
from job.registry.publish import FileEntry, is_named_for, make_manifest

_N_THREADS: Final = 4


def list_versions(store: ArtifactStore) -> list[str]:
    """Return the names of the complete versions, oldest first."""
    versions = []
    for key in store.keys("v"):
        version, _, name = key.partition("/")
        if name == MANIFEST_FILE and is_version(version):
            versions.append(version)
    return sorted(versions)


def read_verified(store: ArtifactStore, version: str) -> dict[str, bytes]:
    """Read and verify all files of a version, including the manifest.

    Raises
    ------
    IntegrityError
        As raised by `verify_files`.
    """
    files: dict[str, io.BytesIO] = defaultdict(io.BytesIO)
    verify_files(store, version, lambda name, piece: files[name].write(piece))
    return {name: stream.getvalue() for name, stream in files.items()}


def read_metadata(store: ArtifactStore, version: str) -> dict[str, Any]:
    """Return a version's metadata.json, verified."""
    content: dict[str, Any] = json.loads(read_verified(store, version)[METADATA_FILE])
    return content


def read_files(store: ArtifactStore, version: str, names: Collection[str]) -> dict[str, bytes]:
    """Read and verify the named files of a version; files that it lacks are left out.

    Raises
    ------
    IntegrityError
        As raised by `verify_files`.
    """
    files: dict[str, io.BytesIO] = defaultdict(io.BytesIO)
    verify_files(store, version, lambda name, piece: files[name].write(piece), names)
    return {name: files[name].getvalue() for name in names if name in files}


def verify_files(
    store: ArtifactStore,
    version: str,
    sink: Callable[[str, bytes], object],
    selected: Collection[str] | None = None,
) -> int:
    """Check the files of a version against its manifest, and return their number.

    The manifest is one of the files.

    Parameters
    ----------
    sink
        Called with the name and the next piece of a file: in order for each file, for several files
        at once.  The pieces are verified only once this function has returned.
    selected
        Names of the files to read; None reads all.

    Raises
    ------
    IntegrityError
        A file is missing or not listed, or a file or the manifest is not as it was published.
    """
    raw = store.get(f"{version}/{MANIFEST_FILE}") or b""
    listed = _read_manifest(version, raw)
    prefix = f"{version}/"
    present = {key.removeprefix(prefix) for key in store.keys(prefix)}
    unlisted = sorted(present - listed.keys() - {MANIFEST_FILE})
    names = sorted(listed if selected is None else listed.keys() & set(selected))

    def read(name: str) -> FileEntry | None:
        exists, n_bytes, digest = False, 0, hashlib.sha256()
        with closing(store.pieces(f"{prefix}{name}")) as pieces:
            for piece in pieces:
                exists, n_bytes = True, n_bytes + len(piece)
                sink(name, piece)
                digest.update(piece)
        entry = FileEntry(n_bytes=n_bytes, digest=str(Digest(digest.hexdigest())))
        return entry if exists else None

    with ThreadPoolExecutor(_N_THREADS) as pool:
        entries = dict(zip(names, pool.map(read, names), strict=True))
    broken = [name for name in names if entries[name] != listed[name]]
    if broken or unlisted:
        problems = [f"{quote_list(broken)} differ from the manifest"] if broken else []
        problems += [f"{quote_list(unlisted)} are not in it"] if unlisted else []
        raise IntegrityError(
            f"{version} is damaged: {'; '.join(problems)}",
            hint="restore the files from a backup, or publish a new version",
        )
    sink(MANIFEST_FILE, raw)
    return len(names) + 1


def copied_from(store: ArtifactStore, version: str) -> str | None:
    """Return the version that this one is a copy of; None if it is not a copy."""
    origin: str | None = json.loads(store.get(f"{version}/{MANIFEST_FILE}") or b"{}").get(
        "copied_from"
    )
    return origin


def _read_manifest(version: str, raw: bytes) -> dict[str, FileEntry]:
    """Return the files of a manifest, which must have exactly the bytes that `publish` writes."""
    try:
        content = json.loads(raw)
        listed = {
            str(e["name"]): FileEntry(n_bytes=int(e["n_bytes"]), digest=str(e["digest"]))
            for e in content["files"]
        }
        owner, run_id = str(content["version"]), str(content["run_id"])
        origin = content.get("copied_from")
        is_valid = raw == make_manifest(owner, run_id, listed, copied_from=origin)
    except (ValueError, KeyError, TypeError, AttributeError):
        is_valid = False
    if not is_valid:
        raise IntegrityError(
            f"the manifest of {version} ({MANIFEST_FILE}) is missing or damaged",
            hint="publish a new version",
        )
    if owner != version or not is_named_for(version, run_id, origin):
        raise IntegrityError(
            f"{version}/{MANIFEST_FILE} is the manifest of another version",
            hint="restore it from a backup, or publish a new version",
        )
    # NOTE: names become paths where a version is fetched
    if not all(is_key(name) for name in listed):
        raise IntegrityError(
            f"{version}/{MANIFEST_FILE} names a file outside its version",
            hint="do not use this version; find out who wrote it",
        )
    return listed
