"""Find and open the files of a directory store: regular files below its root, through no link.

Whoever may write to the folder can put a link, a pipe or a device in the place of a file.  Opening
one of these could wait forever, and reading it could never end, or leave the store.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from job.contracts.store_keys import check_key
from job.errors import IntegrityError

# NOTE: a file with a name that is too long cannot exist
_ABSENT: Final = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
# NOTE: the answers to opening a link or a socket
_IRREGULAR: Final = (errno.ELOOP, errno.ENXIO)
# NOTE: without O_NONBLOCK, opening a pipe waits for its writer
OPEN_FLAGS: Final = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def find_path(root: Path, key: str) -> Path:
    """Return the path of an object, which may not exist.

    Raises
    ------
    ConfigurationError
        The key is not valid.
    IntegrityError
        Something other than a folder has the name of a folder of the key.
    """
    check_key(key)
    check_folders(root, key)
    return root / key


def check_folders(root: Path, key: str) -> None:
    """Raise `IntegrityError` if a link or a file has the name of a folder of this key or prefix."""
    parts = key.split("/")[:-1]
    for n in range(1, len(parts) + 1):
        name = "/".join(parts[:n])
        path = root / name
        if path.is_symlink() or (os.path.lexists(path) and not path.is_dir()):
            raise IntegrityError(
                f"'{name}' in the store is not a folder",
                hint="the store does not follow links: move the folder itself to this place, or "
                "find out what replaced it",
            )


def open_object(root: Path, key: str) -> BinaryIO | None:
    """Open an object without waiting; return None if it does not exist.

    Raises
    ------
    IntegrityError
        Something other than a regular file has this name.
    """
    try:
        descriptor = os.open(find_path(root, key), os.O_RDONLY | OPEN_FLAGS)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        if error.errno in _IRREGULAR:
            raise not_a_file(key) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise not_a_file(key)
    return os.fdopen(descriptor, "rb")


def stat_object(root: Path, key: str) -> os.stat_result | None:
    """Return the status of an object, or of what is in its place; None if it does not exist.

    Raises
    ------
    IntegrityError
        A folder has this name.
    """
    try:
        status = find_path(root, key).lstat()
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise
    if stat.S_ISDIR(status.st_mode):
        raise not_a_file(key)
    return status


def not_a_file(key: str) -> IntegrityError:
    """Return the error for a key whose file was replaced by something else."""
    return IntegrityError(
        f"'{key}' is not a file, but a link, a folder, a pipe or a device",
        hint="find out what replaced the file; restore it from a backup, or delete it",
    )
