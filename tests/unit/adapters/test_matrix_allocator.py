"""Matrices are in memory or in a file, with the same content."""

import errno
import shutil

import numpy as np
import pytest

from job.adapters.host_limits import Memory
from job.adapters.matrix_allocator import MappedMatrices
from job.errors import ConfigurationError

SHAPE = (1000, 64)
N_BYTES = 4 * 1000 * 64


@pytest.mark.parametrize(
    ("max_bytes", "n_bytes"), [(None, N_BYTES), (N_BYTES, N_BYTES), (N_BYTES - 1, 0), (0, 0)]
)
def test_larger_ones_take_no_memory(tmp_path, max_bytes, n_bytes):
    assert n_bytes == MappedMatrices(tmp_path, max_bytes, Memory()).memory_bytes(SHAPE)


@pytest.mark.parametrize("max_bytes", [None, 0])
def test_matrix_holds_what_is_written(tmp_path, max_bytes):
    matrix = MappedMatrices(tmp_path, max_bytes, Memory()).empty(SHAPE)
    content = np.random.default_rng(0).standard_normal(SHAPE, np.float32)
    matrix[:] = content

    np.testing.assert_array_equal(content, matrix)
    assert (np.float32, True, np.ndarray) == (
        matrix.dtype,
        matrix.flags.c_contiguous,
        type(matrix),
    )


def test_file_has_no_name(tmp_path):
    """No file remains, however the process ends."""
    matrix = MappedMatrices(tmp_path, 0, Memory()).empty(SHAPE)

    assert (SHAPE, []) == (matrix.shape, list(tmp_path.iterdir()))


def test_matrix_in_a_file_is_not_memory_in_use(tmp_path, monkeypatch):
    """The kernel can write its pages to disk and drop them."""
    monkeypatch.setattr("job.adapters.host_limits._LIBRARY_FILES", 0)
    memory = Memory()
    before = memory.used_bytes()
    matrix = MappedMatrices(tmp_path, 0, memory).empty((10_000, 1024))
    matrix[:] = 1.0

    assert memory.used_bytes() - before < matrix.nbytes / 4


def test_folder_without_space_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR_LIMIT_BYTES", str(N_BYTES - 1))

    with pytest.raises(ConfigurationError, match=r"1 MiB does not fit .* has 0 MiB"):
        MappedMatrices(tmp_path, 0, Memory()).empty(SHAPE)


def test_files_without_a_name_count_while_they_live(tmp_path, monkeypatch):
    """A volume's limit applies to all matrices together; a freed matrix returns its space."""
    monkeypatch.setenv("TMPDIR_LIMIT_BYTES", str(N_BYTES))
    matrices = MappedMatrices(tmp_path, 0, Memory())
    first = matrices.empty(SHAPE)
    with pytest.raises(ConfigurationError, match="does not fit"):
        matrices.empty(SHAPE)
    del first

    assert SHAPE == matrices.empty(SHAPE).shape


def test_space_is_taken_before_it_is_written(tmp_path):
    """Otherwise a disk that is full later would end the process without a message."""
    before = shutil.disk_usage(tmp_path).free
    matrix = MappedMatrices(tmp_path, 0, Memory()).empty((20_000, 1024))

    assert before - shutil.disk_usage(tmp_path).free > matrix.nbytes / 2


@pytest.mark.parametrize("n_rows", [1, 1000, 20_000])
def test_system_that_cannot_reserve_space_writes_it(tmp_path, monkeypatch, n_rows):
    """macOS has no `posix_fallocate`."""
    monkeypatch.delattr("os.posix_fallocate")
    before = shutil.disk_usage(tmp_path).free
    matrix = MappedMatrices(tmp_path, 0, Memory()).empty((n_rows, 1024))

    assert 0 == matrix.sum()
    assert n_rows < 20_000 or before - shutil.disk_usage(tmp_path).free > matrix.nbytes / 2


def test_full_disk_of_such_a_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.delattr("os.posix_fallocate")
    monkeypatch.setattr("job.adapters.matrix_allocator.open", fail, raising=False)

    with pytest.raises(ConfigurationError, match="does not fit"):
        MappedMatrices(tmp_path, 0, Memory()).empty(SHAPE)


def fail(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")
