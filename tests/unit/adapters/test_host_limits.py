"""The memory limit is the smallest of all cgroups above the process, in both versions."""

import gc
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from job.adapters.host_limits import (
    Memory,
    free_temporary_bytes,
    paused_gc,
    return_freed_memory,
)

MIB = 2**20


@pytest.fixture
def meter(tmp_path):
    """Return a function that makes the meter of a machine with these cgroup files."""

    def make(membership, **limits):
        (tmp_path / "membership").write_text(membership)
        for name, content in limits.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return Memory(tmp_path / "cgroup", tmp_path / "membership")

    return make


V2 = "0::/\n"
V1 = "5:devices:/\n4:memory:/pod/job\n0::/\n"


def test_version_2(meter):
    assert 700 * MIB == meter(V2, **{"memory.max": f"{700 * MIB}\n"}).limit_bytes


def test_version_2_of_a_nested_group_is_the_least_above_it(meter):
    limits = {"memory.max": "max", "a/memory.max": str(5 * MIB), "a/b/memory.max": str(9 * MIB)}

    assert 5 * MIB == meter("0::/a/b\n", **limits).limit_bytes


def test_version_1(meter):
    limits = {"memory/pod/job/memory.limit_in_bytes": f"{700 * MIB}\n"}

    assert 700 * MIB == meter(V1, **limits).limit_bytes


def test_version_1_inside_a_container_is_at_the_root(meter):
    """The path is the host's, but the mounted hierarchy is the container's."""
    limits = {"memory/memory.limit_in_bytes": f"{700 * MIB}\n"}

    assert 700 * MIB == meter(V1, **limits).limit_bytes


@pytest.mark.parametrize("text", ["max\n", str(2**63 - 4096), ""])
def test_no_limit_is_the_machine(meter, text):
    assert meter("").limit_bytes == meter(V2, **{"memory.max": text}).limit_bytes


def test_machine_without_cgroups_has_its_own_memory(tmp_path):
    assert Memory(tmp_path, tmp_path / "none").limit_bytes > 256 * MIB


@pytest.fixture
def without_proc(tmp_path, monkeypatch):
    """Hide what macOS does not have."""
    for name in ("_STATUS", "_MOUNTS"):
        monkeypatch.setattr(f"job.adapters.host_limits.{name}", tmp_path / "none")
    return Memory(tmp_path, tmp_path / "none")


def test_memory_in_use_without_proc_is_the_peak(without_proc):
    """It is at least what is in use now; the unit differs between systems."""
    now = Memory().used_bytes()
    held = b"x" * (64 * MIB)

    assert now / 2 < without_proc.used_bytes() < 2**40, len(held)


def test_peak_is_counted_in_bytes_on_macos(without_proc, monkeypatch):
    in_kib = without_proc.used_bytes()
    monkeypatch.setattr("sys.platform", "darwin")

    assert in_kib // 1024 == pytest.approx(without_proc.used_bytes(), rel=0.1)


def test_temporary_space_without_proc_is_what_the_disk_has(without_proc, tmp_path, monkeypatch):
    monkeypatch.delenv("TMPDIR_LIMIT_BYTES", raising=False)

    assert free_temporary_bytes(tmp_path, without_proc) > 0


@pytest.mark.parametrize("error", [ValueError("unrecognized name"), OSError(22, ""), None])
def test_system_that_does_not_tell_its_memory_sets_no_limit(tmp_path, monkeypatch, error):
    def refuse(name):
        if error is not None:
            raise error
        return -1 if name == "SC_PHYS_PAGES" else 4096

    monkeypatch.setattr("os.sysconf", refuse)

    assert sys.maxsize == Memory(tmp_path, tmp_path / "none").limit_bytes


def test_c_library_without_glibc_functions_is_left_alone(monkeypatch):
    """macOS has neither `malloc_trim` nor `mallopt`."""
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())

    Memory().release()
    return_freed_memory()


def test_used_memory_grows_with_what_is_held(tmp_path):
    memory = Memory()
    before = memory.used_bytes()
    held = b"x" * (64 * MIB)

    assert memory.used_bytes() - before > 60 * MIB, len(held)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep nothing")
def test_freed_blocks_go_back_to_the_system():
    """Otherwise the C library would keep freed blocks below the last one in use."""
    memory = Memory()
    held = [bytes([n % 256]) * 2000 for n in range(50_000)]
    last = held[-1]
    del held
    before = memory.used_bytes()
    memory.release()

    assert before - memory.used_bytes() > 60 * MIB, len(last)


def test_what_libraries_made_is_left_alone():
    """The garbage collector does not examine them again, not even at exit."""
    before = gc.get_freeze_count()
    with paused_gc():
        held = [[] for _ in range(1000)]

    assert gc.get_freeze_count() - before >= len(held)


LARGE_BLOCKS = """
from job.adapters.host_limits import Memory, return_freed_memory
return_freed_memory()
import numpy as np, pyarrow
memory = Memory()
def block():
    return np.ones(2**20)
block()  # glibc keeps what is not larger than the largest that was freed
held = [block() for _ in range(20)]
before = memory.used_bytes()
del held[:-1]
n_freed = before - memory.used_bytes()
import resource
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(3 * 2**17)
before = faults()
for _ in range(50):
    np.ones(3 * 2**17)
print(pyarrow.default_memory_pool().backend_name, n_freed >> 20, faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep nothing")
def test_large_blocks_go_back_when_they_are_freed():
    """This runs in a separate process, before Arrow is loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE_BLOCKS], capture_output=True, text=True, check=True
    )
    pool, n_freed, n_faults = done.stdout.split()

    assert "system" == pool
    assert int(n_freed) > 140
    assert int(n_faults) < 1000, "blocks of 3 MiB go back and come again"


def test_files_in_memory_count_as_used(meter):
    """A tmpfs is charged to the cgroup that wrote to it."""
    limits = {"memory.max": str(900 * MIB), "memory.stat": f"anon 1\nshmem {500 * MIB}\n"}
    without = meter(V2, **{"memory.max": str(900 * MIB), "memory.stat": "anon 1\nshmem 0\n"})
    before = without.used_bytes()

    assert abs(meter(V2, **limits).used_bytes() - before - 500 * MIB) < 20 * MIB


def test_stated_size_of_a_volume_bounds_temporary_space(tmp_path, monkeypatch):
    """Bytes that the run has already written there are subtracted."""
    monkeypatch.setenv("TMPDIR_LIMIT_BYTES", str(5 * MIB))
    (tmp_path / "part").write_bytes(b"x" * (2 * MIB))

    assert 3 * MIB == free_temporary_bytes(tmp_path, Memory())


def test_temporary_space_in_memory_is_bounded_by_the_memory_limit(meter, monkeypatch):
    monkeypatch.delenv("TMPDIR_LIMIT_BYTES", raising=False)
    memory = meter(V2, **{"memory.max": "1"})

    assert 0 == free_temporary_bytes(Path("/dev/shm"), memory)


def test_temporary_space_on_a_disk_is_what_the_disk_has(meter, tmp_path, monkeypatch):
    monkeypatch.delenv("TMPDIR_LIMIT_BYTES", raising=False)
    memory = meter(V2, **{"memory.max": "1"})

    assert free_temporary_bytes(tmp_path, memory) > 0


@pytest.mark.parametrize("is_enabled", [True, False])
def test_collector_is_held_while_libraries_load(is_enabled):
    """It is restored, even if a library cannot be loaded."""
    (gc.enable if is_enabled else gc.disable)()
    try:
        with pytest.raises(ImportError), paused_gc():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()
