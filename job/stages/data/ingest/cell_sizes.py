"""Refuse a table that has a larger cell than the settings allow."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from job.errors import DatasetUnreadableError


def check_cell_sizes(
    batch: pa.RecordBatch, names: Iterable[str], *, max_bytes: int, uri: str
) -> None:
    """Raise if a cell of text or bytes in one of the columns is larger than `max_bytes`.

    Raises
    ------
    DatasetUnreadableError
        A cell is larger.  The message names the column and the size.
    """
    for name in names:
        n_bytes = _find_largest(batch.column(name), max_bytes)
        if n_bytes > max_bytes:
            raise DatasetUnreadableError(
                f"'{uri}': column '{name}' has a cell of {n_bytes:,} bytes; expected at most "
                f"{max_bytes:,} (dataset.max_cell_bytes)",
                hint="check whether a quote is not closed, and shorten such cells upstream; if "
                f"the cell is correct: --set dataset.max_cell_bytes={n_bytes}",
            )


def _find_largest(array: pa.Array, max_bytes: int) -> int:
    """Return the size of the largest cell in bytes; 0 if no cell can be too large."""
    if array.nbytes <= max_bytes and not pa.types.is_dictionary(array.type):
        return 0
    if pa.types.is_dictionary(array.type):
        array = array.dictionary
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        array = array.cast(pa.large_binary())
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    if any(is_kind(array.type) for is_kind in (*kinds, pa.types.is_large_binary)):
        return int(pc.max(pc.binary_length(array)).as_py() or 0)
    return 0
