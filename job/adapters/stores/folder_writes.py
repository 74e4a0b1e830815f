"""Write files of a store in a folder: complete, synced to disk, and one writer at a time.

Some file systems lack an ability.  Without hard links or locks, a store is refused.  Without
permissions or the syncing of folders, it is used: vfat and network mounts have neither.
"""

from __future__ import annotations

import contextlib
import errno
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
from job.errors import ConfigurationError

_TEMPORARY: Final = ".tmp-"
_UNSUPPORTED: Final = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY)
_NO_LINKS: Final = (*_UNSUPPORTED, errno.EPERM, errno.EMLINK, errno.EXDEV)
_NO_LOCKS: Final = (*_UNSUPPORTED, errno.ENOLCK)
_NO_MODES: Final = (*_UNSUPPORTED, errno.EPERM)
_USE_ANOTHER: Final = (
    "use a folder on another file system, such as ext4, xfs or NFS 4, or an s3:// store; object "
    "stores that are mounted as folders (gcsfuse, blobfuse) and vfat lack it"
)


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
            with _passing_over(_NO_MODES):
                os.fchmod(stream.fileno(), 0o600 if is_private(key) else 0o644)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def link(file: Path, path: Path) -> bool:
    """Give a file a second name; return False if the name exists.

    Raises
    ------
    ConfigurationError
        The file system has no hard links.
    """
    try:
        os.link(file, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        raise ConfigurationError(
            "the file system of the store has no hard links (link), which create a file once",
            hint=_USE_ANOTHER,
        ) from error
    return True


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Wait until no other process has locked the store, and lock it."""
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root / ".lock", os.O_RDWR | os.O_CREAT | OPEN_FLAGS, 0o666)
    with os.fdopen(descriptor, "rb") as stream:
        _lock(stream.fileno())
        yield


def _lock(descriptor: int) -> None:
    """Wait for the lock of an open file; raise `ConfigurationError` if there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise ConfigurationError(
            "the file system of the store has no file locks (flock), which move a channel safely",
            hint=_USE_ANOTHER,
        ) from error


def require_abilities(folder: Path) -> None:
    """Create, link, lock and remove a temporary file, which a store in this folder needs.

    Raises
    ------
    ConfigurationError
        The file system has no hard links or no locks.
    """
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=_TEMPORARY)
    linked = Path(f"{name}.link")
    try:
        with os.fdopen(descriptor, "rb") as stream:
            _lock(stream.fileno())
            link(Path(name), linked)
    finally:
        linked.unlink(missing_ok=True)
        Path(name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to disk, if the file system can sync folders."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with _passing_over(_UNSUPPORTED):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _passing_over(numbers: tuple[int, ...]) -> Iterator[None]:
    """Ignore errors with these numbers."""
    try:
        yield
    except OSError as error:
        if error.errno not in numbers:
            raise


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
