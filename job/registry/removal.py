"""Remove a version so that who publishes or promotes it meanwhile finds out."""

from __future__ import annotations

from collections.abc import Callable

from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import MANIFEST


def remove_version(
    store: ArtifactStore, version: str, *, token: str, is_removable: Callable[[], bool]
) -> bool:
    """Mark a version, look once more, then remove it, its manifest first; say whether it went.

    Who commits or promotes a version looks for marks, after the last thing that `is_removable`
    could have seen: so one of the two always sees the other.

    Parameters
    ----------
    token
        Tells this removal from others of the same version.
    is_removable
        Whether nobody needs the version; asked once the mark is there.
    """
    mark = f"{_marks(version)}{token}"
    store.put_if_absent(mark, b"")
    is_free = is_removable()
    if is_free:
        # NOTE: without its manifest a version is gone, whatever else is still there
        keys = store.keys(f"{version}/")
        for key in sorted(keys, key=lambda key: key != f"{version}/{MANIFEST}"):
            store.delete(key)
    store.delete(mark)
    return is_free


def is_being_removed(store: ArtifactStore, version: str) -> bool:
    """Return whether somebody is removing a version, or was killed while doing so."""
    return any(True for _ in store.keys(_marks(version)))


def _marks(version: str) -> str:
    return f"removals/{version}/"
