"""Matrices in memory, as in a run without `search.max_memory`."""

from pathlib import Path

from job.adapters.host_limits import Memory
from job.adapters.matrix_allocator import MappedMatrices

IN_MEMORY = MappedMatrices(Path(), None, Memory())
