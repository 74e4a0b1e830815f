"""The artifact store in a folder: create-only by hard link, compare-and-swap by lock."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

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
)
_TEMPORARY: Final = ".tmp-"


class DirectoryStore:
    """Keys are paths below a root; an object is visible whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.uri = str(root)

    def get(self, key: str) -> bytes | None:
        """Read an object, or None where there is none."""
        with self._translated(key):
            try:
                return (self._root / key).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object; False where the key is taken."""
        with self._translated(key), self._written(key, data) as temporary:
            try:
                os.link(temporary, self._root / key)
            except FileExistsError:
                return False
            _sync_folder((self._root / key).parent)
            return True

    def compare_and_swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Replace an object if it still holds `expected` (None: is absent)."""
        with self._translated(key), self._locked(), self._written(key, data) as temporary:
            if self.get(key) != expected:
                return False
            temporary.replace(self._root / key)
            _sync_folder((self._root / key).parent)
            return True

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys below a prefix, sorted."""
        with self._translated(prefix):
            found = [
                path.relative_to(self._root).as_posix()
                for path in self._root.rglob("*")
                if path.is_file() and not path.name.startswith(".")
            ]
        yield from sorted(key for key in found if key.startswith(prefix))

    def delete(self, key: str) -> None:
        """Remove one object and the folders it leaves empty; absent is fine."""
        with self._translated(key):
            path = self._root / key
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                for folder in path.parents:
                    if folder == self._root:
                        break
                    folder.rmdir()

    def check_writable(self) -> None:
        """Raise unless an object can be created here."""
        with self._translated(""):
            self._root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._root, prefix=_TEMPORARY):
                pass

    @contextlib.contextmanager
    def _written(self, key: str, data: bytes) -> Iterator[Path]:
        """Write a temporary file beside the key, on disk before it gets its name."""
        folder = (self._root / key).parent
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=_TEMPORARY)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
                os.fchmod(stream.fileno(), 0o644)
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._translate(error, key) from error

    def _translate(self, error: OSError, key: str) -> JobError:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        if error.errno in _REFUSED:
            return ConfigurationError(
                f"the store '{self.uri}' cannot be used: {reason}",
                hint="set store.uri to a folder that this user may write to",
                key=key,
            )
        return TransientError(
            f"the store '{self.uri}' failed: {reason}",
            hint="free space or mend the device, then run again",
            key=key,
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
