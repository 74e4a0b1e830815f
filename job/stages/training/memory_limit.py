"""Compare memory needs with the limit, so that a run fails before the kernel kills it.

This module imports no large library, because the first check runs before large ones are loaded."""

from __future__ import annotations

from typing import Final

from job.contracts.dataset import Dataset
from job.contracts.ports import MemoryMeter
from job.errors import ConfigurationError

_LIBRARIES: Final = 360 * 2**20  # bytes of the libraries that a run loads before reading
_PER_CHARACTER: Final = 5  # bytes of the copies of a text while it is validated
_BATCHES: Final = 160 * 2**20  # bytes of record batches and their strings during reading


def require_memory_to_start(memory: MemoryMeter) -> None:
    """Raise if importing the libraries would exceed the memory limit.

    Raises
    ------
    ConfigurationError
        The memory limit is too low; the message states the required amount.
    """
    require_memory(_LIBRARIES, memory, "to load its libraries")


def require_memory_to_read(n_bytes: int, memory: MemoryMeter) -> None:
    """Raise if reading another `n_bytes` would exceed the memory limit.

    Raises
    ------
    ConfigurationError
        The memory limit is too low; the message states the required amount.
    """
    needed = memory.used_bytes() + _BATCHES + n_bytes
    require_memory(needed, memory, "to read the table")


def require_memory_to_validate(dataset: Dataset, memory: MemoryMeter) -> None:
    """Raise if validation, which copies texts, would exceed the memory limit.

    Raises
    ------
    ConfigurationError
        The memory limit is too low; the message states the required amount.
    """
    strings = (column.values for column in dataset.columns if column.kind == "string")
    n_characters = sum(len(value) for values in strings for value in values if value is not None)
    needed = memory.used_bytes() + _PER_CHARACTER * n_characters
    require_memory(needed, memory, "to validate the table")


def require_memory(n_bytes: int, memory: MemoryMeter, purpose: str) -> None:
    """Raise if the `n_bytes` that `purpose` needs are above the memory limit.

    Raises
    ------
    ConfigurationError
        The memory limit is too low; the message states the required amount.
    """
    if n_bytes <= memory.limit_bytes:
        return
    needed, granted = -(-n_bytes // 2**20), memory.limit_bytes // 2**20
    raise ConfigurationError(
        f"the job needs about {needed} MiB of memory {purpose}, but may use {granted} MiB",
        hint="raise the memory limit, or use --set search.workers=1 to fit one model at a time; "
        "docs/operations.md has a table of sizes",
    )
