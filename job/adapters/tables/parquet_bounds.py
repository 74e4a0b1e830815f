"""Bound what a Parquet file decodes to, before and while its rows are decoded.

How it works
------------
1. The footer states the uncompressed size and the number of values of each column.  A file that
   states far more bytes than it has is refused before anything is decoded.
2. A dictionary stores a long text once, and each row with this text takes a few bits.  The
   dictionary of each row group is decoded alone; it limits the number of rows in a batch.
3. The decoded bytes of each batch are counted, because a footer can be wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from job.adapters.tables.bounds import check_expansion
from job.adapters.tables.formats import SourceFile

_WIDTHS: Final = {"INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 4}
_MAX_BATCH_BYTES: Final = 16 * 2**20


def check_footer(
    file: SourceFile, footer: Any, columns: Sequence[str], groups: Collection[int] | None = None
) -> None:
    """Raise if the columns have far more bytes than the file, as its footer states.

    Parameters
    ----------
    groups
        Numbers of the row groups that will be read; None for all.

    Raises
    ------
    DatasetUnreadableError
        The stated bytes exceed 64 MiB and `max_expansion` times the size of the file.
    """
    n_bytes = sum(
        max(chunk.total_uncompressed_size, chunk.num_values * _WIDTHS.get(chunk.physical_type, 1))
        for group, chunk in _chunks(footer, columns)
        if groups is None or group in groups
    )
    check_expansion(file, file.path.stat().st_size, n_bytes)


def find_batch_rows(file: SourceFile, footer: Any, columns: Sequence[str], max_rows: int) -> int:
    """Return the number of rows of a batch whose texts take some 16 MiB at most."""
    rows = max_rows
    for group, chunk in _chunks(footer, columns):
        n_rows = min(rows, footer.row_group(group).num_rows)
        if chunk.physical_type != "BYTE_ARRAY" or not chunk.num_values:
            continue
        if chunk.total_uncompressed_size * n_rows <= _MAX_BATCH_BYTES:
            continue
        if "DELTA_BYTE_ARRAY" in chunk.encodings:  # a text can repeat all of the one before
            longest = chunk.total_uncompressed_size
        elif chunk.has_dictionary_page:
            longest = _longest_entry(file, group, chunk.path_in_schema)
        else:
            continue
        rows = max(1, min(rows, _MAX_BATCH_BYTES // max(longest, 1)))
    return rows


def count_decoded(batch: pa.RecordBatch) -> int:
    """Return the bytes of a batch if each cell has a copy of its value."""
    return sum(_count_array(column) for column in batch.columns)


def _count_array(array: pa.Array) -> int:
    if not pa.types.is_dictionary(array.type):
        return int(array.nbytes)
    lengths = _lengths(array.dictionary)
    if lengths is None:
        return int(array.nbytes)
    return int(pc.sum(lengths.take(array.indices)).as_py() or 0) + len(array)


def _longest_entry(file: SourceFile, group: int, column: str) -> int:
    """Return the bytes of the longest text in the dictionary of a column of a row group."""
    with pq.ParquetFile(file.path, read_dictionary=[column], pre_buffer=False) as parquet:
        batch = next(parquet.iter_batches(1, row_groups=[group], columns=[column]), None)
    if batch is None or not batch.num_columns or not pa.types.is_dictionary(batch.column(0).type):
        return 0
    lengths = _lengths(batch.column(0).dictionary)
    return 0 if lengths is None else int(pc.max(lengths).as_py() or 0)


def _lengths(array: pa.Array) -> pa.Array | None:
    """Return the lengths of texts in bytes; None if the values are of another type."""
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    if any(is_kind(array.type) for is_kind in (*kinds, pa.types.is_large_binary)):
        return pc.binary_length(array).cast(pa.int64())
    return None


def _chunks(footer: Any, columns: Sequence[str]) -> Iterator[tuple[int, Any]]:
    """Yield each row group's number and its chunks of the columns."""
    names = set(columns)
    if not footer.num_row_groups:
        return
    first = footer.row_group(0)
    numbers = [
        n
        for n in range(footer.num_columns)
        if (path := first.column(n).path_in_schema) in names or path.split(".")[0] in names
    ]
    for group in range(footer.num_row_groups):
        for n in numbers:
            yield group, footer.row_group(group).column(n)
