"""What the machine grants this process: CPUs, and memory by its cgroup, version 1 or 2."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_MEMBERSHIP: Final = Path("/proc/self/cgroup")
_STATUS: Final = Path("/proc/self/statm")


class Memory:
    """The memory of this process.

    Attributes
    ----------
    limit_bytes
        The least limit of the cgroups that the process is in, and of the machine.
    """

    def __init__(self, cgroups: Path = _CGROUPS, membership: Path = _MEMBERSHIP) -> None:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self.limit_bytes = min([physical, *_cgroup_limits(cgroups, membership)])

    def used_bytes(self) -> int:
        """Give the bytes that are resident now."""
        n_pages = int(_STATUS.read_text().split()[1]) if _STATUS.exists() else 0
        return n_pages * os.sysconf("SC_PAGE_SIZE")


def _cgroup_limits(cgroups: Path, membership: Path) -> list[int]:
    """Read the limits of the process's cgroup and of those above it.

    Inside a container the path of membership may be one of the host's; then the root of what is
    mounted is the container's own group.
    """
    found = []
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
                found.append(int(text))
            if folder == root:
                break
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


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
