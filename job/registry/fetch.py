"""Copy a version out of the store, whole or not at all, and try whether it loads."""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from job.contracts.ports import ArtifactStore
from job.errors import ConfigurationError, IntegrityError, TransientError
from job.registry.versions import verify

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
# NOTE: for larger writes the kernel looks for larger free pages, and may have to make them first
_WRITE_BYTES: Final = 2**15
OnBegin = Callable[[Callable[[], None]], None]


class _Staging:
    """A folder beside the target, where files are until all of them are verified."""

    def __init__(self, directory: Path) -> None:
        self._made = [f for f in (directory, *directory.parents) if not f.exists()]
        self._directory = directory
        self._root: Path | None = None
        # NOTE: the work is undone by another thread, and nothing may be made again after that
        self._lock = threading.Lock()
        self._is_over = False

    def begin(self) -> None:
        """Make the folders."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._root = Path(tempfile.mkdtemp(dir=self._directory, prefix=".tmp-"))
        self.files.mkdir()

    @property
    def files(self) -> Path:
        """Where the files are."""
        assert self._root is not None
        return self._root / "files"

    def write(self, name: str, piece: bytes) -> None:
        """Write the next piece of a file, unless the process is leaving."""
        with self._lock:
            if not self._is_over:
                path = self.files / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("ab", buffering=_WRITE_BYTES // 2) as stream:
                    for start in range(0, len(piece), _WRITE_BYTES):
                        stream.write(memoryview(piece)[start : start + _WRITE_BYTES])

    def move(self, target: Path) -> None:
        """Return the files their place."""
        with self._lock:
            _move(self.files, target)

    def drop(self) -> None:
        """Remove what is still there, and the folders that were made and are empty."""
        with self._lock:
            self._is_over = True
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
            for folder in self._made:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def fetch_version(
    store: ArtifactStore, version: str, directory: Path, on_begin: OnBegin = lambda _: None
) -> Path:
    """Write a verified version below a folder, whole or not at all.

    What has the version's name already stays: the same files are what was asked for, anything
    else is somebody's own.

    Parameters
    ----------
    on_begin
        Gets what undoes the work, for a process that must leave in the middle of it.

    Raises
    ------
    ConfigurationError
        The folder cannot be written, or has something else of that name.
    IntegrityError
        A file of the version is damaged.
    TransientError
        There is no room.
    """
    target = directory / version
    staging = _Staging(directory)
    on_begin(staging.drop)
    try:
        with _translated(directory):
            staging.begin()
            verify(store, version, staging.write)
            staging.move(target)
    finally:
        staging.drop()
    return target


def _move(files: Path, target: Path) -> None:
    try:
        files.rename(target)
    except OSError:
        if not os.path.lexists(target):
            raise
        if not _hold_the_same(files, target):
            raise ConfigurationError(
                f"'{target}' is there already, and is not that version as it was published",
                hint="look at it and move it away, or choose another folder",
            ) from None


def _hold_the_same(one: Path, other: Path) -> bool:
    """Return whether two folders have the same files with the same bytes, and nothing else."""
    if other.is_symlink() or not other.is_dir():
        return False
    names = [
        {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}
        for folder in (one, other)
    ]
    return names[0] == names[1] and all(
        not (other / name).is_symlink() and filecmp.cmp(one / name, other / name, shallow=False)
        for name in names[0]
    )


@contextmanager
def _translated(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        if error.errno in _FULL:
            raise TransientError(
                f"'{directory}' failed: {reason}", hint="free space or mend the device"
            ) from error
        raise ConfigurationError(
            f"'{directory}' cannot be written: {reason}", hint="choose another folder"
        ) from error


def check_load(
    store: ArtifactStore,
    version: str,
    find_problem: Callable[[Path], str | None],
    on_begin: OnBegin = lambda _: None,
) -> dict[str, Any]:
    """Try whether a verified version can be loaded and used.

    Parameters
    ----------
    find_problem
        Loads the model of a version's folder and predicts one row; returns what went wrong.

    Raises
    ------
    IntegrityError
        It is damaged, or cannot be loaded or used by the packages installed here.
    """
    with tempfile.TemporaryDirectory(prefix="pcc-job-") as name:
        on_begin(lambda: shutil.rmtree(name, ignore_errors=True))
        path = fetch_version(store, version, Path(name))
        problem = find_problem(path)
    if problem:
        raise IntegrityError(
            f"{version} cannot be loaded and used here: {problem}",
            hint="compare the installed packages with environment.packages in its metadata.json",
        )
    return {"version": version, "is_loadable": True}
