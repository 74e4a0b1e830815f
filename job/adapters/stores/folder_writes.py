"""Write files of a store in a folder: complete, synced to disk, and one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from job.adapters.stores.object_files import OPEN_FLAGS
from job.contracts.store_bounds import MAX_KEY_PARTS
from job.contracts.store_keys import is_job_key, is_key, is_private

_TEMPORARY: Final = ".tmp-"


@contextlib.contextmanager
def temporary_file(path: Path, key: str, data: bytes) -> Iterator[Path]:
    """Provide a temporary file with these bytes, synced to disk, next to the path of a key.

    Missing folders are created, and the parent of each created folder is synced to disk.
    """
    folder = path.parent
    created = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(0o700 if is_private(key) else 0o777, parents=True, exist_ok=True)
    for new in created:
        sync_folder(new.parent)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=_TEMPORARY)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
            os.fchmod(stream.fileno(), 0o600 if is_private(key) else 0o644)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Wait until no other process has locked the store, and lock it."""
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / ".lock", os.O_RDWR | os.O_CREAT | OPEN_FLAGS, 0o666)
    with os.fdopen(descriptor, "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def list_temporary_files(root: Path, before: datetime) -> list[tuple[str, Path]]:
    """Return key and path of each temporary file of this job that is older than a time, sorted."""
    found = []
    for folder, subfolders, names in os.walk(root):
        if len(Path(folder).relative_to(root).parts) >= MAX_KEY_PARTS - 1:
            subfolders.clear()
        for path in (Path(folder, name) for name in names if name.startswith(_TEMPORARY)):
            key = path.relative_to(root).as_posix()
            is_regular = path.is_file() and not path.is_symlink()
            is_ended = is_regular and path.stat().st_mtime < before.timestamp()
            if is_ended and is_job_key(key) and is_key(key):
                found.append((key, path))
    return sorted(found)
