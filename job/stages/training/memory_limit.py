"""Refuse what the memory limit cannot hold, before the kernel has to; loads nothing heavy."""

from __future__ import annotations

from typing import Final

from job.contracts.dataset import Dataset
from job.contracts.ports import MemoryMeter
from job.errors import ConfigurationError

_LIBRARIES: Final = 360 * 2**20  # what a run loads before it reads
_PER_CHARACTER: Final = 5  # copies of a text while it is held against expectations
_BATCHES: Final = 160 * 2**20  # of a table while it is read, and its strings


def require_memory_to_start(memory: MemoryMeter) -> None:
    """Refuse a limit that the libraries alone would exceed.

    Raises
    ------
    ConfigurationError
        The message names the bytes that are needed.
    """
    require_memory(_LIBRARIES, memory, "to load its libraries")


def require_memory_to_read(n_bytes: int, memory: MemoryMeter) -> None:
    """Refuse to read on where the memory limit cannot hold what is still to come.

    Raises
    ------
    ConfigurationError
        The message names the bytes that are needed.
    """
    needed = memory.used_bytes() + _BATCHES + n_bytes
    require_memory(needed, memory, "to read the table")


def require_memory_to_validate(dataset: Dataset, memory: MemoryMeter) -> None:
    """Refuse to validate texts whose copies the memory limit cannot hold.

    Raises
    ------
    ConfigurationError
        The message names the bytes that are needed.
    """
    strings = (column.values for column in dataset.columns if column.kind == "string")
    n_characters = sum(len(value) for values in strings for value in values if value is not None)
    needed = memory.used_bytes() + _PER_CHARACTER * n_characters
    require_memory(needed, memory, "to validate the table")


def require_memory(n_bytes: int, memory: MemoryMeter, purpose: str) -> None:
    """Refuse a need above the limit.

    Raises
    ------
    ConfigurationError
        The message names the bytes that are needed.
    """
    if n_bytes <= memory.limit_bytes:
        return
    needed, granted = -(-n_bytes // 2**20), memory.limit_bytes // 2**20
    raise ConfigurationError(
        f"the job needs about {needed} MiB of memory {purpose}, and may use {granted} MiB",
        hint="raise the memory limit, or lower search.workers; "
        "docs/operations.md has a table of sizes",
    )
