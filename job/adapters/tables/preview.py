"""Read the beginning of a table, without the libraries of a run.

How it works
------------
1. For a folder, the first file is read.
2. Of a CSV file, at most the first 2 MB of the decompressed text are read, or 16 MB if the header
   is longer.  A row that this bound cuts, and rows that do not fit the header, are left out.
3. Of a Parquet file, the first rows of up to four row groups are read, from the first to the last.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

from job.adapters.tables.bounds import check_header
from job.adapters.tables.damage import empty_file, endless_row, explaining_damage
from job.adapters.tables.dialect import Dialect, find_dialect
from job.adapters.tables.escapes import double_quotes
from job.adapters.tables.formats import SourceFile, table_format
from job.adapters.tables.heads import read_head, split_rows
from job.adapters.tables.listing import label_file, list_files
from job.contracts.settings.dataset import CsvSpec, ReadLimits
from job.contracts.table_preview import ColumnPreview, TablePreview

_HEAD_BYTES: Final = 2 * 2**20
_MAX_ROW_BYTES: Final = 16 * 2**20


def read_preview(
    path: Path,
    label: str,
    csv: CsvSpec,
    *,
    max_rows: int = 1000,
    known_names: frozenset[str] = frozenset(),
    limits: ReadLimits | None = None,
) -> TablePreview:
    """Return the columns of a table, and the cells of its first rows.

    Parameters
    ----------
    path
        A file, or a folder of files.
    label
        Name of the table in messages.
    known_names
        Names of columns that messages may show.
    limits
        Limits of the file; None for the defaults.

    Raises
    ------
    ConfigurationError
        The file has an unknown file name extension.
    DatasetNotFoundError, DatasetUnreadableError
        The table does not exist, is empty, or is damaged at its beginning.
    """
    first, *others = list_files(label, path)
    file = SourceFile(
        first, label_file(label, path, first), known_names, csv, limits or ReadLimits()
    )
    if table_format(first) == "parquet":
        from job.adapters.tables.parquet_preview import read_parquet_preview

        return read_parquet_preview(file, max_rows, is_complete=not others)
    return explaining_damage(
        file, lambda: _read_csv(file, max_rows, is_complete=not others), max_bytes=_HEAD_BYTES
    )


def _read_csv(file: SourceFile, max_rows: int, *, is_complete: bool) -> TablePreview:
    dialect = find_dialect(file)
    check_header(file, dialect)
    header, rows, is_whole_file = _read_rows(file, dialect)
    fitting = [row for row in rows if len(row) == len(header)]
    # rows from all of what was read, because a table may be sorted by its labels
    cells = fitting[:: max(1, -(-len(fitting) // max_rows))]
    columns = list(zip(*cells, strict=True)) or [()] * len(header)
    return TablePreview(
        columns=tuple(
            ColumnPreview(name=name, type="text", cells=tuple(cell or None for cell in column))
            for name, column in zip(header, columns, strict=True)
        ),
        n_rows=len(fitting) if is_whole_file and is_complete else None,
        format="csv",
        delimiter=dialect.delimiter,
        encoding=dialect.encoding,
    )


def _read_rows(file: SourceFile, dialect: Dialect) -> tuple[list[str], list[list[str]], bool]:
    """Return the header, the complete rows at the beginning, and whether the file has no others."""
    for max_bytes in (_HEAD_BYTES, _MAX_ROW_BYTES):
        head, is_complete = read_head(file.path, max_bytes)
        text = codecs.getincrementaldecoder(dialect.codec)().decode(head, final=is_complete)
        text = text.removeprefix("\ufeff")
        if dialect.escape == "backslash":
            text = double_quotes(text, dialect.delimiter)
        rows = list(split_rows(text, dialect.delimiter))
        if not is_complete:
            del rows[-1:]  # the bound may cut it
        if rows:
            return rows[0], rows[1:], is_complete
        if is_complete:
            raise empty_file(file)
    raise endless_row(file)
