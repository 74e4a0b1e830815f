"""Read published versions: which are complete, and their bytes against the manifest."""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

from job.contracts.identity import Digest, is_version
from job.contracts.messages import quote_list
from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import MANIFEST, is_key
from job.errors import IntegrityError
from job.registry.publish import FileEntry, is_named_for, make_manifest

_N_THREADS: Final = 4


def list_versions(store: ArtifactStore) -> list[str]:
    """Name the complete versions, oldest first."""
    found = []
    for key in store.keys("v"):
        version, _, name = key.partition("/")
        if name == MANIFEST and is_version(version):
            found.append(version)
    return sorted(found)


def read_verified(store: ArtifactStore, version: str) -> dict[str, bytes]:
    """Read every file of a version against its manifest; the manifest is among them.

    Raises
    ------
    IntegrityError
        As `verify` does.
    """
    files: dict[str, io.BytesIO] = defaultdict(io.BytesIO)
    verify(store, version, lambda name, piece: files[name].write(piece))
    return {name: stream.getvalue() for name, stream in files.items()}


def read_files(store: ArtifactStore, version: str, names: Collection[str]) -> dict[str, bytes]:
    """Read those of these files that a version has, against its manifest.

    Raises
    ------
    IntegrityError
        As `verify` does.
    """
    files: dict[str, io.BytesIO] = defaultdict(io.BytesIO)
    verify(store, version, lambda name, piece: files[name].write(piece), names)
    return {name: files[name].getvalue() for name in names if name in files}


def verify(
    store: ArtifactStore,
    version: str,
    sink: Callable[[str, bytes], object],
    wanted: Collection[str] | None = None,
) -> int:
    """Hold the files of a version against its manifest; give their number, the manifest too.

    Parameters
    ----------
    sink
        Gets the name and the next piece of a file, for each file in order, for several at once;
        what it makes of them is good only if this function returns.
    wanted
        Names of the files that are read; None: all.

    Raises
    ------
    IntegrityError
        A file is missing or not listed, or a byte of a file or of the manifest is not the one
        that was published.
    """
    raw = store.get(f"{version}/{MANIFEST}") or b""
    listed = _read_manifest(version, raw)
    prefix = f"{version}/"
    present = {key.removeprefix(prefix) for key in store.keys(prefix)}
    strangers = sorted(present - listed.keys() - {MANIFEST})
    names = sorted(listed if wanted is None else listed.keys() & set(wanted))

    def read(name: str) -> FileEntry | None:
        is_there, n_bytes, digest = False, 0, hashlib.sha256()
        with closing(store.pieces(f"{prefix}{name}")) as pieces:
            for piece in pieces:
                is_there, n_bytes = True, n_bytes + len(piece)
                sink(name, piece)
                digest.update(piece)
        found = FileEntry(n_bytes=n_bytes, digest=str(Digest(digest.hexdigest())))
        return found if is_there else None

    with ThreadPoolExecutor(_N_THREADS) as pool:
        found = dict(zip(names, pool.map(read, names), strict=True))
    broken = [name for name in names if found[name] != listed[name]]
    if broken or strangers:
        problems = [f"{quote_list(broken)} differ from the manifest"] if broken else []
        problems += [f"{quote_list(strangers)} are not in it"] if strangers else []
        raise IntegrityError(
            f"{version} is damaged: {'; '.join(problems)}",
            hint="restore the files from a backup, or publish a new version",
            files=[*broken, *strangers],
        )
    sink(MANIFEST, raw)
    return len(names) + 1


def copied_from(store: ArtifactStore, version: str) -> str | None:
    """Name the version that this one is a copy of, if it is one."""
    origin: str | None = json.loads(store.get(f"{version}/{MANIFEST}") or b"{}").get("copied_from")
    return origin


def _read_manifest(version: str, raw: bytes) -> dict[str, FileEntry]:
    """Read a manifest that is, byte for byte, what publishing these files writes."""
    try:
        content = json.loads(raw)
        listed = {
            str(e["name"]): FileEntry(n_bytes=int(e["n_bytes"]), digest=str(e["digest"]))
            for e in content["files"]
        }
        owner, run_id = str(content["version"]), str(content["run_id"])
        origin = content.get("copied_from")
        is_whole = raw == make_manifest(owner, run_id, listed, copied_from=origin)
    except (ValueError, KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise IntegrityError(
            f"the manifest of {version} ({MANIFEST}) is missing or damaged",
            hint="publish a new version",
        )
    if owner != version or not is_named_for(version, run_id, origin):
        raise IntegrityError(
            f"{version}/{MANIFEST} is the manifest of another version",
            hint="restore it from a backup, or publish a new version",
        )
    # NOTE: names become paths where a version is fetched
    if not all(is_key(name) for name in listed):
        raise IntegrityError(
            f"{version}/{MANIFEST} names a file outside its version",
            hint="do not use this version; find out who wrote it",
        )
    return listed
