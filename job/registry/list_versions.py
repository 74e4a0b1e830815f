"""List the versions of a store; the newest are found without listing all versions' files."""

from __future__ import annotations

from job.contracts.identity import is_version
from job.contracts.ports import ArtifactStore
from job.contracts.version_files import MANIFEST_FILE


def list_versions(store: ArtifactStore, since: str = "") -> list[str]:
    """Return the names of the complete versions, oldest first.

    Parameters
    ----------
    since
        The oldest version to list; empty lists all.
    """
    versions = []
    for key in store.keys("v", after=since):
        version, _, name = key.partition("/")
        if name == MANIFEST_FILE and is_version(version):
            versions.append(version)
    return sorted(versions)


def list_newest(store: ArtifactStore, n: int) -> list[str]:
    """Return the names of the newest `n` complete versions, oldest first.

    The files of the newest `n` folders are listed.  While too few of the listed folders are
    complete versions, four times as many folders are listed.
    """
    folders, n_listed = list_folders(store), n
    while True:
        complete = list_versions(store, since="".join(folders[-n_listed:][:1]))
        if len(complete) >= n or n_listed >= len(folders):
            return complete[-n:]
        n_listed *= 4


def list_folders(store: ArtifactStore) -> list[str]:
    """Return the names of all versions, complete or not, oldest first."""
    names = (name.rstrip("/") for name in store.names("v") if name.endswith("/"))
    return sorted(name for name in names if is_version(name))
