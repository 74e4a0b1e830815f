"""New matrices: in memory, or in a file below a folder where they are larger than may be held."""

from __future__ import annotations

import math
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.adapters.host_limits import Memory, free_temporary_bytes
from job.errors import ConfigurationError

_ITEM_BYTES: Final = np.dtype(np.float32).itemsize


class MappedMatrices:
    """Makes float32 matrices.

    Parameters
    ----------
    folder
        Where files lie; they have no name, so nothing is left however the process ends.
    most_bytes
        Largest matrix that is held in memory; None: all are.
    """

    def __init__(self, folder: Path, most_bytes: int | None, memory: Memory) -> None:
        self._folder, self._most_bytes, self._memory = folder, most_bytes, memory
        self._n_live = 0  # bytes in files

    def memory_bytes(self, shape: tuple[int, int]) -> int:
        """Return the memory that a matrix of this shape takes: none where it lies in a file."""
        n_bytes = math.prod(shape) * _ITEM_BYTES
        return 0 if self._most_bytes is not None and n_bytes > self._most_bytes else n_bytes

    def empty(self, shape: tuple[int, int]) -> npt.NDArray[Any]:
        """Make a matrix, C order, of any content.

        Raises
        ------
        ConfigurationError
            The folder has not the space.
        """
        n_bytes = math.prod(shape) * _ITEM_BYTES
        if not n_bytes or self.memory_bytes(shape):
            return np.empty(shape, np.float32)
        free = free_temporary_bytes(self._folder, self._memory, self._n_live)
        if n_bytes > free:
            raise self._too_large(n_bytes, free)
        with tempfile.TemporaryFile(dir=self._folder) as file:
            try:
                os.posix_fallocate(file.fileno(), 0, n_bytes)  # or a full disk is a SIGBUS
            except OSError:
                raise self._too_large(n_bytes, free) from None
            mapped = np.memmap(file, np.float32, "r+", shape=shape)
        self._n_live += n_bytes
        weakref.finalize(mapped, self._forget, n_bytes)
        return np.asarray(mapped)

    def _forget(self, n_bytes: int) -> None:
        self._n_live -= n_bytes

    def _too_large(self, n_bytes: int, free: int) -> ConfigurationError:
        return ConfigurationError(
            f"a matrix of {-(-n_bytes // 2**20)} MiB does not fit into the temporary folder, "
            f"which has {free // 2**20} MiB",
            hint="give it more space (TMPDIR), or raise search.max_memory",
        )
