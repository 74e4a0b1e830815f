"""Matrices in memory, as a run without `search.max_memory` makes them."""

from pathlib import Path

from job.adapters.machine import Memory
from job.adapters.matrices import Matrices

IN_MEMORY = Matrices(Path(), None, Memory())
