"""What the machine grants this process: CPUs, and memory by its cgroup, version 1 or 2."""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_MEMBERSHIP: Final = Path("/proc/self/cgroup")
_STATUS: Final = Path("/proc/self/statm")
_LIBRARY_FILES: Final = 320 * 2**20  # most that the pages of loaded libraries take
_MOUNTS: Final = Path("/proc/self/mounts")
_MMAP_THRESHOLD: Final = -3  # glibc's names, in malloc.h
_TRIM_THRESHOLD: Final = -1
_LARGE_BLOCK: Final = 4 * 2**20


class Memory:
    """The memory of this process.

    Attributes
    ----------
    limit_bytes
        The least limit of the cgroups that the process is in, and of the machine.
    """

    def __init__(self, cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> None:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limits = _cgroup_limits(cgroups, membership)
        self._group = min(limits, key=lambda folder: limits[folder], default=None)
        self.limit_bytes = min([physical, *limits.values()])

    def used_bytes(self) -> int:
        """Return the bytes that are resident now, and those of files that are kept in memory.

        A tmpfs, such as a container's `/tmp` often is, is charged to the group that wrote it.
        Pages of files beyond those of the libraries are not counted: the kernel can drop them.
        """
        if not _STATUS.exists():
            return self._in_memory_files()
        page = os.sysconf("SC_PAGE_SIZE")
        resident, of_files = (int(n) * page for n in _STATUS.read_text().split()[1:3])
        return resident - max(of_files - _LIBRARY_FILES, 0) + self._in_memory_files()

    def release(self) -> None:
        """Return memory that was freed back to the system, where the C library keeps it.

        Threads free their blocks into arenas of their own, which nobody else can use.
        """
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
        if trim is not None:
            trim(0)

    def _in_memory_files(self) -> int:
        if self._group is None:
            return 0
        lines = _read(self._group / "memory.stat").splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("shmem ")), 0)


def free_temporary_bytes(folder: Path, memory: Memory, n_unnamed: int = 0) -> int:
    """Return the bytes that may still be written below a folder that this run alone writes to.

    The least of what its device has, what a volume may hold (`TMPDIR_LIMIT_BYTES`, which the
    chart sets: a device tells nothing of it), and, where its files are kept in memory, what the
    memory limit leaves.  `n_unnamed` bytes are in files there that have no name.
    """
    free = [shutil.disk_usage(folder).free]
    stated = os.environ.get("TMPDIR_LIMIT_BYTES", "")
    if stated.isdigit():
        taken = n_unnamed + sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        free.append(max(int(stated) - taken, 0))
    if _file_system_of(folder) in ("tmpfs", "ramfs"):
        free.append(max(memory.limit_bytes - memory.used_bytes(), 0))
    return min(free)


def _file_system_of(folder: Path) -> str:
    """Name the kind of file system that a folder lies on."""
    found = ("", "")
    here = folder.resolve()
    for line in _read(_MOUNTS).splitlines():
        _, where, kind, *_ = line.split()
        point = Path(where.replace("\\040", " "))
        if here.is_relative_to(point) and len(where) >= len(found[0]):
            found = (where, kind)
    return found[1]


def _cgroup_limits(cgroups: Path, membership: Path) -> dict[Path, int]:
    """Read the limits of the process's cgroup and of those above it, by folder.

    Inside a container the path of membership may be one of the host's; then the root of what is
    mounted is the container's own group.
    """
    found: dict[Path, int] = {}
    for line in membership.read_text().splitlines() if membership.exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root, name = (
            (cgroups / "memory", "memory.limit_in_bytes")
            if controllers
            else (cgroups, "memory.max")
        )
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            text = _read(folder / name)
            if text.isdigit():  # `max` is no limit
                found[folder] = int(text)
            if folder == root:
                break
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the garbage collector from what libraries make while they load: all of it stays.

    NOTE: looking through it took a fifth of the loading, and most of the process's end
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()


def return_freed_memory() -> None:
    """Have Arrow, before it is loaded, and the C library give large blocks back once freed.

    NOTE: Arrow's own pool keeps them, and glibc does once it has seen one freed that is as large
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, _LARGE_BLOCK)
        # or smaller ones at the end of the heap would go back each time, and come anew
        set_option(_TRIM_THRESHOLD, 4 * _LARGE_BLOCK)


def limit_threads() -> None:
    """Hold Arrow and the BLAS libraries that are loaded to the CPUs that the process may use.

    NOTE: both count the machine's CPUs, not those of a container's quota; joblib counts the quota.
    """
    import joblib
    import pyarrow
    import threadpoolctl

    n_cpus = joblib.cpu_count()
    threadpoolctl.threadpool_limits(n_cpus)
    pyarrow.set_cpu_count(n_cpus)
