"""Copy a version out of the store, completely or not at all, and check that the model loads.

How it works
------------
1. Files are written to a staging folder next to the target while their digests are computed.
2. When all digests match the manifest, the staging folder is renamed to the target.
3. The staging folder is removed on any error, and when the process is terminated.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from job.contracts.ports import ArtifactStore
from job.contracts.write_errors import translating_write_errors
from job.errors import ConfigurationError
from job.registry.read_version import verify_files

# NOTE: larger writes need larger free pages, which the kernel may have to assemble first
_WRITE_BYTES: Final = 2**15
OnBegin = Callable[[Callable[[], None]], None]


class _Staging:
    """A folder next to the target that holds the files until all of them are verified."""

    def __init__(self, directory: Path) -> None:
        self._created = [f for f in (directory, *directory.parents) if not f.exists()]
        self._directory = directory
        self._root: Path | None = None
        # NOTE: another thread may clean up, and no file may be written after that
        self._lock = threading.Lock()
        self._is_closed = False

    def begin(self) -> None:
        """Create the staging folder, and missing folders above it."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._root = Path(tempfile.mkdtemp(dir=self._directory, prefix=".tmp-"))
        self.files.mkdir()

    @property
    def files(self) -> Path:
        """Path of the folder that holds the files."""
        assert self._root is not None
        return self._root / "files"

    def write(self, name: str, piece: bytes) -> None:
        """Append the bytes `piece` to the file `name`, unless the folder has been removed."""
        with self._lock:
            if not self._is_closed:
                path = self.files / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("ab", buffering=_WRITE_BYTES // 2) as stream:
                    for start in range(0, len(piece), _WRITE_BYTES):
                        stream.write(memoryview(piece)[start : start + _WRITE_BYTES])

    def move(self, target: Path) -> None:
        """Rename the folder of the verified files to the target."""
        with self._lock:
            _move(self.files, target)

    def drop(self) -> None:
        """Remove the staging folder, and the empty folders above it that `begin` created."""
        with self._lock:
            self._is_closed = True
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
            for folder in self._created:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def fetch_version(
    store: ArtifactStore, version: str, directory: Path, on_begin: OnBegin = lambda _: None
) -> Path:
    """Copy a verified version to a new folder below `directory`; return the path of the folder.

    A file or folder that already has the version's name is never changed.  If it contains the same
    files, nothing is done; otherwise an error is raised.

    Parameters
    ----------
    on_begin
        Called before the first write, with a function that removes the staging folder.  The caller
        should call this function if a signal ends the process.

    Raises
    ------
    ConfigurationError
        The folder cannot be written, or contains something else with the version's name.
    IntegrityError
        A file of the version is damaged.
    TransientError
        The disk is full, or a write to it failed.
    """
    target = directory / version
    staging = _Staging(directory)
    on_begin(staging.drop)
    try:
        hint = "choose another folder, or change its permissions"
        with translating_write_errors(f"write to '{directory}'", hint):
            staging.begin()
            verify_files(store, version, staging.write)
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
        if not _have_same_content(files, target):
            raise ConfigurationError(
                f"'{target}' already exists and differs from the published version",
                hint="check what the folder contains, then move it away, or choose another folder",
            ) from None


def _have_same_content(first: Path, second: Path) -> bool:
    """Return whether two folders contain the same files with the same bytes."""
    if second.is_symlink() or not second.is_dir():
        return False
    names = [
        {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}
        for folder in (first, second)
    ]
    return names[0] == names[1] and all(
        not (second / name).is_symlink() and filecmp.cmp(first / name, second / name, shallow=False)
        for name in names[0]
    )


def check_copy(
    store: ArtifactStore,
    version: str,
    check: Callable[[Path], None],
    on_begin: OnBegin = lambda _: None,
) -> None:
    """Copy a verified version to a temporary folder, and check this copy.

    Parameters
    ----------
    check
        Called with the path of the copy; raises `IntegrityError` if the copy cannot be used.
    on_begin
        Called before the first write, with a function that removes the temporary copy.

    Raises
    ------
    IntegrityError
        The version is damaged, or `check` has found that it cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="pcc-job-") as name:
        on_begin(lambda: shutil.rmtree(name, ignore_errors=True))
        check(fetch_version(store, version, Path(name)))
