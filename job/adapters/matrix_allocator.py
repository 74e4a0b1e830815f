"""Allocate matrices in memory, or in a memory-mapped file above a size limit."""

from __future__ import annotations

import math
import os
import tempfile
import weakref
from pathlib import Path
from typing import Final

import numpy as np

from job.adapters.host_limits import Memory, free_temporary_bytes
from job.contracts.arrays import Array
from job.errors import ConfigurationError

_PIECE_BYTES: Final = 2**20
_ITEM_BYTES: Final = np.dtype(np.float32).itemsize


class MappedMatrices:
    """Allocates float32 matrices, in memory or in files.

    Parameters
    ----------
    folder
        Folder of the files.  The files have no name, so the system removes them even if the process
        is killed.
    max_bytes
        Maximum size of a matrix that is kept in memory; None keeps all matrices in memory.
    """

    def __init__(self, folder: Path, max_bytes: int | None, memory: Memory) -> None:
        self._folder, self._max_bytes, self._memory = folder, max_bytes, memory
        self._n_mapped = 0  # bytes in files

    def memory_bytes(self, shape: tuple[int, int]) -> int:
        """Return the bytes of memory that a matrix of this shape needs: 0 if it is in a file."""
        n_bytes = math.prod(shape) * _ITEM_BYTES
        return 0 if self._max_bytes is not None and n_bytes > self._max_bytes else n_bytes

    def empty(self, shape: tuple[int, int]) -> Array:
        """Allocate a matrix in C order with undefined content.

        Raises
        ------
        ConfigurationError
            The folder has too little space.
        """
        n_bytes = math.prod(shape) * _ITEM_BYTES
        if not n_bytes or self.memory_bytes(shape):
            return np.empty(shape, np.float32)
        free = free_temporary_bytes(self._folder, self._memory, self._n_mapped)
        if n_bytes > free:
            raise self._too_large(n_bytes, free)
        with tempfile.TemporaryFile(dir=self._folder) as file:
            try:
                _reserve(file.fileno(), n_bytes)  # otherwise a full disk is a SIGBUS
            except OSError:
                raise self._too_large(n_bytes, free) from None
            mapped = np.memmap(file, np.float32, "r+", shape=shape)
        self._n_mapped += n_bytes
        weakref.finalize(mapped, self._release, n_bytes)
        return np.asarray(mapped)

    def _release(self, n_bytes: int) -> None:
        self._n_mapped -= n_bytes

    def _too_large(self, n_bytes: int, free: int) -> ConfigurationError:
        return ConfigurationError(
            f"a matrix of {-(-n_bytes // 2**20)} MiB does not fit into the temporary folder, "
            f"which has {free // 2**20} MiB free",
            hint="set TMPDIR to a folder with more space, or raise search.max_memory",
        )


def _reserve(descriptor: int, n_bytes: int) -> None:
    """Reserve disk space for a file; if the system cannot (macOS), fill the file with zeros."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, n_bytes)
        return
    with open(descriptor, "wb", closefd=False) as stream:
        zeros = bytes(min(n_bytes, _PIECE_BYTES))
        for start in range(0, n_bytes, _PIECE_BYTES):
            stream.write(zeros[: n_bytes - start])
