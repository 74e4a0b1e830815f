"""The artifact store in a folder: hard links create objects, a lock guards compare-and-swap.

How it works
------------
1. Each object is written to a temporary file next to its key.  This file is synced to disk, and so
   is the parent of each folder that is created for it.
2. `put_if_absent` links the file to the key's name; the file system rejects a name that exists.
3. `compare_and_swap` locks the complete store while it compares and renames.
4. Readers never see a temporary file, so they never see a partial object.
5. An object is a regular file.  Links below the root are not followed, so nothing outside of the
   root is read or written; a link, device, pipe or folder in the place of an object is damage.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from job.adapters.stores.folder_listing import describe, list_names, list_objects
from job.adapters.stores.folder_writes import (
    link,
    list_temporary_files,
    locked,
    sync_folder,
    temporary_file,
)
from job.adapters.stores.object_files import (
    find_path,
    not_a_file,
    open_object,
    stat_object,
)
from job.contracts.machine_errors import explain_machine_error
from job.contracts.store_bounds import object_too_large
from job.contracts.store_keys import ObjectInfo, ProbeStep
from job.errors import ConfigurationError, JobError, TransientError

_REFUSED: Final = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENOENT,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EISDIR,
)
_LIMITS: Final = (errno.EMFILE, errno.ENFILE, errno.EFBIG, errno.ENOMEM)  # not of the store
_PIECE_BYTES: Final = 2**20


class DirectoryStore:
    """A store whose keys are paths below a root; readers see complete objects only."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.uri = str(root)

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        """Return the bytes of an object, or None if it does not exist.

        Raises
        ------
        IntegrityError
            The object has more than `max_bytes` bytes, or is not a regular file.
        """
        with self._translating_errors():
            stream = open_object(self._root, key)
            if stream is None:
                return None
            with stream:
                n_bytes = os.fstat(stream.fileno()).st_size
                if n_bytes > max_bytes:
                    raise object_too_large(key, max_bytes)
                return stream.read(n_bytes)

    def pieces(self, key: str) -> Generator[bytes, None, None]:
        """Yield the bytes of an object in pieces, in order; yield nothing if it does not exist."""
        with self._translating_errors():
            stream = open_object(self._root, key)
            if stream is None:
                return
            with stream:
                yield stream.read(_PIECE_BYTES)
                while piece := stream.read(_PIECE_BYTES):
                    yield piece

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object; return False, and change nothing, if the key exists."""
        with self._translating_errors():
            path = self._path(key)
            with temporary_file(path, key, data) as file:
                if not link(file, path):
                    return False
            sync_folder(path.parent)
            return True

    def compare_and_swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Replace an object if its bytes are `expected`, and return whether it was replaced.

        If `expected` is None, create the object if it does not exist.
        """
        with self._translating_errors(), locked(self._root):
            path = self._path(key)
            with temporary_file(path, key, data) as file:
                if not self._holds(key, expected):
                    return False
                file.replace(path)
            sync_folder(path.parent)
            return True

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """List the valid keys that begin with a prefix and are greater than `after`, sorted.

        Links, pipes and devices are listed, too.
        """
        return (key for key, _ in self.entries(prefix, after))

    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, ObjectInfo]]:
        """List the keys that `keys` lists, with the size and modification time of each object."""
        with self._translating_errors():
            found = list_objects(self._root, prefix, after)
        yield from found

    def names(self, prefix: str) -> Iterator[str]:
        """List the keys that begin with a prefix, cut after the next slash; each once, sorted."""
        with self._translating_errors():
            names = list_names(self._root, prefix)
        yield from names

    def head(self, key: str) -> ObjectInfo | None:
        """Return size and modification time of an object, or None if it does not exist."""
        with self._translating_errors():
            status = stat_object(self._root, key)
        return None if status is None else describe(status)

    def delete(self, key: str) -> None:
        """Remove an object, if it exists, and the folders that become empty."""
        with self._translating_errors():
            path = self._path(key)
            try:
                path.unlink(missing_ok=True)
            except IsADirectoryError:
                raise not_a_file(key) from None
            with contextlib.suppress(OSError):
                for folder in path.parents:
                    if folder == self._root:
                        break
                    folder.rmdir()

    def read_clock(self) -> datetime:
        """Return the time that the file system gives to a temporary file, which is removed again.

        If no file can be created, such as on a read-only mount, this machine's time is returned.
        """
        try:
            with tempfile.TemporaryFile(dir=self._root) as stream:
                return describe(os.fstat(stream.fileno())).modified_at
        except OSError:
            return datetime.now(UTC)

    def probe(self, token: str) -> tuple[ProbeStep, ...]:
        """Test each required operation on the key `probe/<token>`, and remove that key.

        Raises
        ------
        ConfigurationError, TransientError
            The folder cannot be used, or its file system has no hard links or locks.
        """
        key = f"probe/{token}"
        try:
            steps = self._try_operations(key)
        except JobError:
            with contextlib.suppress(JobError):
                self.delete(key)
            raise
        self.delete(key)
        steps.append(("deletes", self._holds(key, None)))
        return tuple(
            ProbeStep(
                name=name, is_met=is_met, answer="as expected" if is_met else "not as expected"
            )
            for name, is_met in steps
        )

    def _try_operations(self, key: str) -> list[tuple[str, bool]]:
        """Return the name of each operation, and whether it does what is required."""
        return [
            ("writes", self.put_if_absent(key, b"1")),
            ("reads", self._holds(key, b"1")),
            ("creates_once", not self.put_if_absent(key, b"2")),
            (
                "swaps",
                not self.compare_and_swap(key, b"2", b"3")
                and self.compare_and_swap(key, b"1", b"4"),
            ),
            ("lists", key in self.keys(key)),
        ]

    def clear_unfinished(self, before: datetime, *, is_dry_run: bool) -> list[str]:
        """Remove temporary files of this store that are older than `before`; return their keys."""
        with self._translating_errors():
            found = list_temporary_files(self._root, before)
            for _, path in found if not is_dry_run else ():
                path.unlink(missing_ok=True)
        return [key for key, _ in found]

    def _path(self, key: str) -> Path:
        return find_path(self._root, key)

    def _holds(self, key: str, expected: bytes | None) -> bool:
        """Return whether an object has the bytes `expected`; for None, whether it is missing."""
        info = self.head(key)
        if info is None or expected is None:
            return info is None and expected is None
        return info.n_bytes == len(expected) and self.get(key, max_bytes=len(expected)) == expected

    @contextlib.contextmanager
    def _translating_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._translate(error) from error

    def _translate(self, error: OSError) -> JobError:
        if error.errno in _LIMITS:
            failure = explain_machine_error(error)
            if failure is not None:
                return failure
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        if error.errno in _REFUSED:
            return ConfigurationError(
                f"the store '{self.uri}' cannot be used: {reason}",
                hint="use --store DIRECTORY with a folder that this user can write to",
            )
        return TransientError(
            f"the store '{self.uri}' failed: {reason}",
            hint="free disk space or repair the device, then run again",
        )
