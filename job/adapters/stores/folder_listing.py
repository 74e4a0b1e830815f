"""List the files of a store in a folder, without reading subfolders that have no listed key.

Only valid keys of at most `MAX_KEY_PARTS` parts are listed; the job's own keys have fewer.  Links,
pipes and devices count as files, and no link is followed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from job.adapters.stores.object_files import check_folders
from job.contracts.store_bounds import MAX_KEY_PARTS
from job.contracts.store_keys import ObjectInfo, is_key

_FIRST_SECOND: Final = datetime(1, 1, 2, tzinfo=UTC).timestamp()
_LAST_SECOND: Final = datetime(9999, 12, 30, tzinfo=UTC).timestamp()


def list_objects(root: Path, prefix: str, after: str) -> list[tuple[str, ObjectInfo]]:
    """Return the keys that begin with a prefix and are greater than `after`, sorted."""
    check_folders(root, prefix)
    return sorted(dict(_walk(root, _folder_of(prefix), prefix, after)).items())


def list_names(root: Path, prefix: str) -> list[str]:
    """Return the keys that begin with a prefix, cut after the next slash, sorted."""
    check_folders(root, prefix)
    return sorted(
        f"{key}/" if entry.is_dir(follow_symlinks=False) else key
        for key, entry in _scan(root, _folder_of(prefix))
        if key.startswith(prefix)
    )


def describe(status: os.stat_result) -> ObjectInfo:
    """Return the size and the modification time of a file; years 1 to 9999 are possible."""
    seconds = min(max(status.st_mtime, _FIRST_SECOND), _LAST_SECOND)
    return ObjectInfo(n_bytes=status.st_size, modified_at=datetime.fromtimestamp(seconds, UTC))


def _walk(root: Path, folder: str, prefix: str, after: str) -> Iterator[tuple[str, ObjectInfo]]:
    """Yield the listed objects in a folder and below, in any order."""
    for key, entry in _scan(root, folder):
        below = f"{key}/"
        if entry.is_dir(follow_symlinks=False):
            is_listed = below.startswith(prefix) and (below > after or after.startswith(below))
            if is_listed and len(below.split("/")) <= MAX_KEY_PARTS:
                yield from _walk(root, key, prefix, after)
        elif key.startswith(prefix) and key > after:
            # NOTE: another process may remove the file before it is described
            with contextlib.suppress(FileNotFoundError):
                yield key, describe(entry.stat(follow_symlinks=False))


def _scan(root: Path, folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the key of each file and folder in a folder; nothing if it cannot be read."""
    with (
        contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError),
        os.scandir(root / folder) as entries,
    ):
        for entry in entries:
            key = f"{folder}/{entry.name}" if folder else entry.name
            if not entry.name.startswith(".") and is_key(key):
                yield key, entry


def _folder_of(prefix: str) -> str:
    return prefix.rpartition("/")[0]
