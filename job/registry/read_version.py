"""Read the files of versions, verified against the manifest."""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Final

from job.contracts.identity import Digest
from job.contracts.messages import quote_list
from job.contracts.ports import ArtifactStore
from job.contracts.remedies import RESTORE_VERSION
from job.contracts.reports.manifest import FileEntry
from job.contracts.reports.metadata import Metadata, PromotionTerms, PublishedLineage
from job.contracts.version_files import MANIFEST_FILE, METADATA_FILE
from job.errors import IntegrityError
from job.registry.content_check import check_content
from job.registry.parse_file import parse_file
from job.registry.read_manifest import read_manifest

_N_THREADS: Final = 4
Sink = Callable[[str, bytes], object]


def read_verified(store: ArtifactStore, version: str) -> dict[str, bytes]:
    """Read and verify all files of a version, including the manifest.

    Raises
    ------
    IntegrityError
        A file is missing or not listed in the manifest, or was changed since publication.
    """
    files: dict[str, io.BytesIO] = defaultdict(io.BytesIO)
    verify_files(store, version, lambda name, piece: files[name].write(piece))
    return {name: stream.getvalue() for name, stream in files.items()}


def read_metadata(store: ArtifactStore, version: str) -> Metadata:
    """Return the content of a version's metadata.json, verified.

    Raises
    ------
    IntegrityError
        The file is missing or was changed since publication, or lacks a key that this release
        needs.
    """
    return parse_metadata(version, read_verified(store, version)[METADATA_FILE])


def parse_metadata(version: str, raw: bytes) -> Metadata:
    """Return the content of a version's metadata.json from its bytes.

    Raises
    ------
    IntegrityError
        A key that this release needs is missing or has another type.
    """
    return parse_file(Metadata, f"{version}/{METADATA_FILE}", raw)


def read_lineage_entry(store: ArtifactStore, version: str) -> PublishedLineage | None:
    """Return `lineage` of a version's metadata.json; None in versions of earlier releases.

    Only metadata.json is read and verified.

    Raises
    ------
    IntegrityError
        As raised by `verify_files` and `parse_metadata`.
    """
    raw = read_files(store, version, (METADATA_FILE,))[METADATA_FILE]
    return parse_metadata(version, raw).lineage


def read_terms(store: ArtifactStore, version: str) -> PromotionTerms:
    """Verify a version's metadata.json, and return the values that promotion depends on.

    Raises
    ------
    IntegrityError
        A key that this release needs is missing or has another type.
    """
    raw = read_verified(store, version)[METADATA_FILE]
    return parse_file(PromotionTerms, f"{version}/{METADATA_FILE}", raw)


def read_files(store: ArtifactStore, version: str, names: Collection[str]) -> dict[str, bytes]:
    """Read and verify the named files of a version; ignore names that the version does not have.

    Raises
    ------
    IntegrityError
        One of these files, or the manifest, was changed since publication.
    """
    files: dict[str, io.BytesIO] = defaultdict(io.BytesIO)
    verify_files(store, version, lambda name, piece: files[name].write(piece), names)
    return {name: files[name].getvalue() for name in names if name in files}


def verify_files(
    store: ArtifactStore,
    version: str,
    sink: Sink | None = None,
    selected: Collection[str] | None = None,
) -> int:
    """Check the files of a version against its manifest; return the number of checked files.

    The manifest counts as one of the files.

    Parameters
    ----------
    sink
        Called with the name of a file and the next piece of its bytes, by several threads, each for
        another file.  The pieces of a file arrive in order, and are never more bytes than the
        manifest lists.  They count as verified only after `verify_files` has returned.
    selected
        Names of the files to read; None reads all, and lists the folder to find further files.

    Raises
    ------
    IntegrityError
        A file is missing, not listed or changed; or the manifest was changed, lists no model, or
        differs from metadata.json in the model, the version or the run.
    """
    metadata: list[bytes] = []
    keep = partial(_pass_on, sink, metadata)
    manifest, raw = read_manifest(store, version)
    listed = manifest.entries
    unlisted = [] if selected is not None else _list_unlisted(store, version, listed)
    names = sorted(listed if selected is None else listed.keys() & set(selected))
    with ThreadPoolExecutor(_N_THREADS) as pool:
        checks = {name: pool.submit(_check, store, version, listed[name], keep) for name in names}
    broken = [name for name, check in checks.items() if not check.result()]
    if broken or unlisted:
        raise _damage(version, broken, unlisted)
    if METADATA_FILE in names:
        check_content(manifest, b"".join(metadata))
    keep(MANIFEST_FILE, raw)
    return len(names) + 1


def _list_unlisted(store: ArtifactStore, version: str, listed: Collection[str]) -> list[str]:
    """Return the names of the files in a version's folder that its manifest does not list."""
    prefix = f"{version}/"
    present = {key.removeprefix(prefix) for key in store.keys(prefix)}
    return sorted(present - {*listed, MANIFEST_FILE})


def _pass_on(sink: Sink | None, metadata: list[bytes], name: str, piece: bytes) -> None:
    """Call the sink, and keep the pieces of metadata.json."""
    if name == METADATA_FILE:
        metadata.append(piece)
    if sink is not None:
        sink(name, piece)


def _check(store: ArtifactStore, version: str, listed: FileEntry, sink: Sink) -> bool:
    """Read a file in pieces, and return whether it has the listed size and digest.

    A file that is longer than listed is not read to its end.
    """
    exists, n_bytes, digest = False, 0, hashlib.sha256()
    with closing(store.pieces(f"{version}/{listed.name}")) as pieces:
        for piece in pieces:
            exists, n_bytes = True, n_bytes + len(piece)
            if n_bytes > listed.n_bytes:
                return False
            sink(listed.name, piece)
            digest.update(piece)
    is_same = n_bytes == listed.n_bytes and str(Digest(digest.hexdigest())) == listed.digest
    return exists and is_same


def _damage(version: str, broken: list[str], unlisted: list[str]) -> IntegrityError:
    problems = (
        [f"files missing or different from the manifest: {quote_list(broken)}"] if broken else []
    )
    problems += [f"files not in the manifest: {quote_list(unlisted)}"] if unlisted else []
    return IntegrityError(
        f"{version} is damaged: {'; '.join(problems)}",
        hint=RESTORE_VERSION,
    )
