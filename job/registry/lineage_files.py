"""Name, read and remove the lineage files of versions, which have digests of the versions' rows.

The files are stored outside of the versions, because consumers must not be able to read them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from job.contracts.identity import Digest
from job.contracts.ports import ArtifactStore
from job.contracts.remedies import RESTORE_LINEAGE
from job.contracts.store_bounds import MAX_JSON_BYTES, MAX_LINEAGE_BYTES
from job.contracts.store_keys import ObjectInfo
from job.errors import IntegrityError

LINEAGE_SUFFIX: Final = ".npy"
PROFILE_SUFFIX: Final = ".profile.json"
SUFFIXES: Final = (LINEAGE_SUFFIX, PROFILE_SUFFIX)
_MAX_BYTES: Final = {LINEAGE_SUFFIX: MAX_LINEAGE_BYTES, PROFILE_SUFFIX: MAX_JSON_BYTES}


def lineage_key(version: str, suffix: str = LINEAGE_SUFFIX) -> str:
    """Return the name of a version's lineage file in the store."""
    return f"lineage/{version}{suffix}"


def read_lineage_file(
    store: ArtifactStore, version: str, digest: str, suffix: str = LINEAGE_SUFFIX
) -> bytes | None:
    """Return a lineage file of a version; None if it was removed.

    Parameters
    ----------
    digest
        SHA-256 of the file, from metadata.json.

    Raises
    ------
    IntegrityError
        The file was changed since publication.
    """
    key = lineage_key(version, suffix)
    data = store.get(key, max_bytes=_MAX_BYTES[suffix])
    if data is not None and str(Digest.of(data)) != digest:
        raise IntegrityError(
            f"'{key}' differs from the digest in metadata.json of {version}",
            hint=RESTORE_LINEAGE,
        )
    return data


def read_lineage_files(store: ArtifactStore, version: str) -> Iterator[tuple[str, bytes]]:
    """Yield suffix and content of each lineage file of a version."""
    for suffix in SUFFIXES:
        data = store.get(lineage_key(version, suffix), max_bytes=_MAX_BYTES[suffix])
        if data is not None:
            yield suffix, data


def list_lineage_files(store: ArtifactStore) -> Iterator[tuple[str, str, ObjectInfo]]:
    """Yield the version, the key in the store, and the `ObjectInfo` of each lineage file."""
    for key, info in store.entries(lineage_key("v", "")):
        yield key.rpartition("/")[2].partition(".")[0], key, info


def remove_lineage(store: ArtifactStore, version: str) -> None:
    """Remove the lineage files of a version."""
    for suffix in SUFFIXES:
        store.delete(lineage_key(version, suffix))
