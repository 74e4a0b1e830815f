"""Remove a version, and detect whether another process publishes or promotes it meanwhile.

How it works
------------
1. Write a mark that the version is being removed.
2. Check again that the version is not in use.
3. If it is not in use, delete the manifest, then the other files, then the lineage files.
4. Delete the mark.

A process that publishes or promotes a version first writes its files or moves the pointer, and then
checks for marks.  So either step 2 sees what that process wrote, or that process sees the mark.
"""

from __future__ import annotations

from collections.abc import Callable

from job.contracts.ports import ArtifactStore
from job.contracts.version_files import MANIFEST_FILE
from job.registry.lineage_files import remove_lineage


def remove_version(
    store: ArtifactStore, version: str, *, token: str, is_removable: Callable[[], bool]
) -> bool:
    """Remove a version unless it is in use, and return whether it was removed.

    Parameters
    ----------
    token
        String that distinguishes this removal from other removals of the same version.
    is_removable
        Function that returns True if the version is not in use; called after the mark is written.
    """
    mark = f"{_marks_prefix(version)}{token}"
    store.put_if_absent(mark, b"")
    is_removed = is_removable()
    if is_removed:
        # NOTE: a version without its manifest does not exist for readers
        keys = store.keys(f"{version}/")
        for key in sorted(keys, key=lambda key: key != f"{version}/{MANIFEST_FILE}"):
            store.delete(key)
        remove_lineage(store, version)
    store.delete(mark)
    return is_removed


def is_being_removed(store: ArtifactStore, version: str) -> bool:
    """Return whether a removal of the version is in progress, or was killed before its end."""
    return any(True for _ in store.keys(_marks_prefix(version)))


def _marks_prefix(version: str) -> str:
    return f"removals/{version}/"
