"""Limits of this process: its CPUs, its memory (cgroup version 1 or 2) and its temporary space.

How it works
------------
1. The memory limit is the smallest of these: the machine's memory, and the limits of the process's
   cgroup and of all cgroups above it.
2. Memory in use is the resident set plus files in memory (a tmpfs).  Pages of mapped files do not
   count, because the kernel can drop them.
3. Free temporary space is the smallest of these: the free space on the device, the unused part of
   the volume's configured size and, for a tmpfs, the remaining memory.
4. The C library and Arrow are configured to return freed memory to the system.
5. macOS has neither cgroups nor `/proc`: the limit is the machine's memory, and memory in use is
   the most that the process has used so far.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_MEMBERSHIP: Final = Path("/proc/self/cgroup")
_STATUS: Final = Path("/proc/self/statm")
_LIBRARY_FILES: Final = 320 * 2**20  # upper bound of the pages of loaded libraries
_MOUNTS: Final = Path("/proc/self/mounts")
_MMAP_THRESHOLD: Final = -3  # glibc's names, in malloc.h
_TRIM_THRESHOLD: Final = -1
_LARGE_BLOCK: Final = 4 * 2**20


class Memory:
    """The memory of this process.

    Attributes
    ----------
    limit_bytes
        The smallest limit of the machine and of the cgroups that contain the process.
    """

    def __init__(self, cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> None:
        limits = _cgroup_limits(cgroups, membership)
        self._cgroup = min(limits, key=lambda folder: limits[folder], default=None)
        self.limit_bytes = min([_physical_bytes(), *limits.values()])

    def used_bytes(self) -> int:
        """Return the resident bytes, plus the bytes of files that are kept in memory.

        Files in a tmpfs (often a container's `/tmp`) count, because their bytes are charged to the
        cgroup.  Pages of memory-mapped files do not count, because the kernel can drop them.
        Pages of libraries do count, because they are in use.  Without `/proc`, this is the largest
        amount that the process has used so far.
        """
        if not _STATUS.exists():
            return _peak_bytes() + self._in_memory_files()
        page = os.sysconf("SC_PAGE_SIZE")
        resident, mapped = (int(n) * page for n in _STATUS.read_text().split()[1:3])
        return resident - max(mapped - _LIBRARY_FILES, 0) + self._in_memory_files()

    def release(self) -> None:
        """Release to the system the freed memory that the C library still holds.

        glibc keeps freed memory per thread, and other threads cannot reuse it.
        """
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # exists in glibc only
        if trim is not None:
            trim(0)

    def _in_memory_files(self) -> int:
        if self._cgroup is None:
            return 0
        lines = _read(self._cgroup / "memory.stat").splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("shmem ")), 0)


def free_temporary_bytes(folder: Path, memory: Memory, n_unnamed: int = 0) -> int:
    """Return the bytes that can still be written below a folder that only this run writes to.

    This is the smallest of three values: the free space of the device, the unused part of the
    volume's size (`TMPDIR_LIMIT_BYTES`; the Helm chart sets it because the device does not report
    it), and, for a tmpfs, the unused part of the memory limit.

    Parameters
    ----------
    n_unnamed
        Total bytes of this run's temporary files without a name; no listing of the folder
        contains them.
    """
    free = [shutil.disk_usage(folder).free]
    stated = os.environ.get("TMPDIR_LIMIT_BYTES", "")
    if stated.isdigit():
        taken = n_unnamed + sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        free.append(max(int(stated) - taken, 0))
    if _file_system(folder) in ("tmpfs", "ramfs"):
        free.append(max(memory.limit_bytes - memory.used_bytes(), 0))
    return min(free)


def _physical_bytes() -> int:
    """Return the bytes of the machine's memory, or `sys.maxsize` if the system does not tell."""
    try:
        n_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return sys.maxsize
    return n_bytes if n_bytes > 0 else sys.maxsize


def _peak_bytes() -> int:
    """Return the largest resident set that the process has had."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _file_system(folder: Path) -> str:
    """Return the type of the file system that contains a folder."""
    longest, file_system = "", ""
    resolved = folder.resolve()
    for line in _read(_MOUNTS).splitlines():
        _, where, kind, *_ = line.split()
        mount_point = Path(where.replace("\\040", " "))
        if resolved.is_relative_to(mount_point) and len(where) >= len(longest):
            longest, file_system = where, kind
    return file_system


def _cgroup_limits(cgroups: Path, membership: Path) -> dict[Path, int]:
    """Return the memory limits of the process's cgroup and of all cgroups above it, by folder.

    Parameters
    ----------
    cgroups
        Folder where the hierarchy of cgroups is mounted.
    membership
        File that names the process's cgroup.  In a container the name may be a path of the host;
        then the root of the hierarchy is used as the process's cgroup.
    """
    limits: dict[Path, int] = {}
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
            if text.isdigit():  # `max` means that there is no limit
                limits[folder] = int(text)
            if folder == root:
                break
    return limits


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


@contextmanager
def paused_gc() -> Iterator[None]:
    """Disable garbage collection while libraries load, then freeze what they created.

    NOTE: garbage collection took a fifth of the load time, and most of the time at exit.
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
    """Configure Arrow (before it is loaded) and the C library to return large freed blocks.

    NOTE: by default, Arrow's memory pool keeps freed blocks.  glibc returns only blocks above a
    minimum size, and raises this size each time a large block is freed.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, _LARGE_BLOCK)
        # otherwise smaller blocks at the end of the heap would be returned and requested each time
        set_option(_TRIM_THRESHOLD, 4 * _LARGE_BLOCK)


def limit_threads() -> None:
    """Limit Arrow and the loaded BLAS libraries to the CPUs that the process may use.

    NOTE: Arrow and BLAS count the machine's CPUs and ignore a container's quota.
    """
    import joblib
    import pyarrow
    import threadpoolctl

    n_cpus = joblib.cpu_count()
    threadpoolctl.threadpool_limits(n_cpus)
    pyarrow.set_cpu_count(n_cpus)
