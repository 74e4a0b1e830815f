"""Read the columns of a Parquet file, and the cells of rows from several of its row groups.

A table can be sorted by its labels, so that the first row group may have a single one.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from job.adapters.tables.bounds import check_column_count
from job.adapters.tables.errors import translating_errors
from job.adapters.tables.formats import SourceFile
from job.adapters.tables.parquet_bounds import check_footer, find_batch_rows
from job.adapters.tables.parquet_files import open_parquet
from job.adapters.tables.plain_types import to_plain
from job.contracts.table_preview import ColumnPreview, ColumnType, TablePreview

_MAX_GROUPS: Final = 4
Cells = tuple[str | float | bool | None, ...]

_NUMBERS: Final = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_TEXTS: Final = (pa.types.is_string, pa.types.is_large_string)
_LISTS: Final = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)


def read_parquet_preview(file: SourceFile, max_rows: int, *, is_complete: bool) -> TablePreview:
    """Return the columns of a Parquet file, and the cells of the first rows of some row groups.

    Parameters
    ----------
    is_complete
        Whether the file is the complete table.

    Raises
    ------
    DatasetUnreadableError
        The file is empty or damaged.
    """
    schema, n_rows, columns = translating_errors(file, lambda: _read(file, max_rows))
    previews = translating_errors(
        file,
        lambda: tuple(
            ColumnPreview(
                name=field.name,
                type=_column_type(array.type),
                cells=_read_cells(array),
            )
            for field, array in zip(schema, columns, strict=True)
        ),
    )
    return TablePreview(columns=previews, n_rows=n_rows if is_complete else None, format="parquet")


def _read(file: SourceFile, max_rows: int) -> tuple[pa.Schema, int, list[pa.Array]]:
    """Return the columns of the file, its number of rows, and the read cells in plain types."""
    with open_parquet(file.path) as parquet:
        schema, footer = parquet.schema_arrow, parquet.metadata
        check_column_count(file, footer.num_columns)
        groups = _spread(footer.num_row_groups)
        check_footer(file, footer, schema.names, groups)
        n_rows = find_batch_rows(file, footer, schema.names, -(-max_rows // max(len(groups), 1)))
        firsts = (next(parquet.iter_batches(n_rows, row_groups=[n]), None) for n in groups)
        batches = [batch for batch in firsts if batch is not None]
        if not batches:
            empty = [column.combine_chunks() for column in schema.empty_table().columns]
            return schema, footer.num_rows, [to_plain(array) for array in empty]
        parts = zip(*(map(to_plain, batch.columns) for batch in batches), strict=True)
        return schema, footer.num_rows, [pa.concat_arrays(arrays) for arrays in parts]


def _spread(n_groups: int) -> list[int]:
    """Return the numbers of up to `_MAX_GROUPS` row groups, from the first to the last."""
    n = min(n_groups, _MAX_GROUPS)
    return [k * (n_groups - 1) // max(n - 1, 1) for k in range(n)]


def _column_type(kind: pa.DataType) -> ColumnType:
    """Return the type of a column's cells."""
    if any(is_kind(kind) for is_kind in _TEXTS):
        return "text"
    if any(is_kind(kind) for is_kind in _NUMBERS):
        return "number"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    is_list = any(is_kind(kind) for is_kind in _LISTS)
    return "list" if is_list and _column_type(kind.value_type) == "number" else "other"


def _read_cells(array: pa.Array) -> Cells:
    match _column_type(array.type):
        case "text":
            return tuple(_decode_texts(array))
        case "number":
            return tuple(None if n is None or n != n else float(n) for n in array.to_pylist())
        case "boolean":
            return tuple(array.to_pylist())
        case "time":
            return tuple(_format_times(array))
        case "list":
            return tuple(pc.list_value_length(array).to_pylist())
        case "other":
            return tuple(
                None if is_null else str(array.type) for is_null in array.is_null().to_pylist()
            )


def _decode_texts(array: pa.Array) -> list[str | None]:
    """Return texts; bytes that are not UTF-8 are replaced, because a run may not need the cells."""
    cells = array.cast(pa.large_binary()).to_pylist()
    return [None if not cell else cell.decode(errors="replace") for cell in cells]


def _format_times(array: pa.Array) -> list[str | None]:
    """Return times in the form of ISO 8601, in UTC if the file states a time zone.

    A time that pyarrow cannot write, far outside the years 1 to 9999, is missing.
    """
    zone = "Z" if getattr(array.type, "tz", None) else ""
    # NOTE: the name of the time zone may be unknown here, and times are stored in UTC
    plain = pa.date32() if pa.types.is_date(array.type) else pa.timestamp(array.type.unit)
    texts = array.cast(plain, safe=False).cast(pa.string()).to_pylist()
    return [
        None if text is None or text.startswith("<") else text.replace(" ", "T") + zone
        for text in texts
    ]
