"""Read one file of a table: Parquet by row group, CSV in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pacsv

from job.adapters.tables.bounds import ExpansionWatch, check_column_count, check_header
from job.adapters.tables.dialect import Dialect, find_dialect
from job.adapters.tables.errors import translating_errors, translating_stream_errors
from job.adapters.tables.formats import SourceFile
from job.adapters.tables.parquet_bounds import check_footer, count_decoded, find_batch_rows
from job.adapters.tables.parquet_files import open_parquet
from job.adapters.tables.plain_types import to_plain_batch
from job.adapters.tables.rows_in_cells import RowWatch
from job.adapters.tables.streams import END_MARK, open_as_utf8
from job.contracts.messages import pluralize
from job.contracts.rows_in_cells import RowsInCells
from job.contracts.settings.dataset import show_delimiter
from job.errors import DatasetUnreadableError

_BATCH_ROWS: Final = 2048
_CSV_BLOCK_BYTES: Final = 16 * 2**20
_HEADER_BLOCK_BYTES: Final = 2**18
_METADATA_SKIPPED: Final = (b"ARROW:schema", b"pandas")


class ParquetPart:
    """One Parquet file of a table."""

    dialect: Dialect | None = None
    rows_in_cells = RowsInCells()

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        with translating_errors(file, self._open) as opened:
            check_column_count(file, opened.metadata.num_columns)
            schema = translating_errors(file, lambda: opened.schema_arrow)
            self.n_rows: int | None = opened.metadata.num_rows
        self.names: tuple[str, ...] = tuple(schema.names)
        self.metadata = tuple(
            (key.decode(errors="replace"), value.decode(errors="replace"))
            for key, value in sorted((schema.metadata or {}).items())
            if key not in _METADATA_SKIPPED
        )

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield batches with the named columns, in plain types.

        Row groups are decoded one after the other.
        """
        with translating_errors(self.file, self._open) as opened:
            check_footer(self.file, opened.metadata, columns)
            find_size = partial(find_batch_rows, self.file, opened.metadata, columns, _BATCH_ROWS)
            n_rows = translating_errors(self.file, find_size)
            stream = opened.iter_batches(n_rows, columns=list(columns))
            watch = ExpansionWatch(self.file)
            for batch in translating_stream_errors(self.file, stream):
                watch.add(count_decoded(batch))
                yield translating_errors(self.file, partial(to_plain_batch, batch))

    def _open(self) -> Any:
        """Open the file; it is closed after each use, because a folder can have many files."""
        return open_parquet(self.file.path)


class CsvPart:
    """One CSV file of a table; columns are read as text, because settings define the types."""

    n_rows: int | None = None
    metadata: tuple[tuple[str, str], ...] = ()

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.rows_in_cells = RowsInCells()
        self._n_ragged = self._n_ragged_lines = 0
        self._is_open = False
        self._n_expected = 0
        self.dialect: Dialect = translating_errors(file, lambda: find_dialect(file))
        translating_errors(file, lambda: check_header(file, self.dialect))
        self.names: tuple[str, ...] = ()
        self.names = translating_errors(file, self._read_names)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield batches with the named columns; the file is parsed in chunks.

        After the last batch, `rows_in_cells` counts the rows that other rows hold in a cell.  All
        columns are read for this, because a quote can be open in a column without a role, too.

        Raises
        ------
        DatasetUnreadableError
            A row has too few or too many cells.
        """
        self._n_ragged = self._n_ragged_lines = n_read = 0
        self._is_open = len(self.names) > 1
        watch = RowWatch(len(self.names), self.dialect.delimiter, self.dialect.line_end)
        reader = translating_errors(self.file, lambda: self._open(self.names, end=END_MARK))
        for batch in translating_stream_errors(self.file, reader):
            n_read += batch.num_rows
            watch.look(batch)
            yield batch.select(list(columns))
        watch.look_at_header(self.names)
        self.rows_in_cells = watch.summarize(is_open=self._is_open)
        if self._n_ragged:
            raise DatasetUnreadableError(
                f"'{self.file.label}': {pluralize(self._n_ragged, 'row')} "
                f"{'has' if self._n_ragged == 1 else 'have'} a different number of cells than the "
                f"header, which has {self._n_expected}",
                hint=self._explain_ragged(is_any_sound=n_read > 0),
            )

    def _explain_ragged(self, *, is_any_sound: bool) -> str:
        delimiter = show_delimiter(self.dialect.delimiter)
        if self._n_ragged_lines:
            return (
                f"is a quote not closed? {self._n_ragged_lines} of them extend over several lines. "
                f"Quote cells that contain {delimiter}, a quote or a line break, and double each "
                "quote in them"
            )
        if is_any_sound:
            return f"quote cells that contain {delimiter} or a line break"
        return (
            "no row fits the header: is a name missing in the first line, or does the line lack "
            f"quotes around a name with {delimiter}? `head -n 2 FILE` shows both lines"
        )

    def _read_names(self) -> tuple[str, ...]:
        try:
            # NOTE: pyarrow infers the types of all columns from the first block
            return tuple(self._open((), _HEADER_BLOCK_BYTES).schema.names)
        except pa.ArrowInvalid:  # the block may end within the first rows
            return tuple(self._open(()).schema.names)

    def _open(
        self, columns: Sequence[str], block_bytes: int = _CSV_BLOCK_BYTES, end: bytes = b""
    ) -> Any:
        return pacsv.open_csv(
            open_as_utf8(self.file, self.dialect, end if len(self.names) > 1 else b""),
            read_options=pacsv.ReadOptions(block_size=block_bytes, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter=self.dialect.delimiter,
                newlines_in_values=True,
                invalid_row_handler=self._count_ragged,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=list(columns) if len(set(columns)) == len(columns) else [],
                strings_can_be_null=False,
            ),
        )

    def _count_ragged(self, row: Any) -> str:
        if row.text.strip("\r\n") == END_MARK.decode().strip():  # a row of its own: no open quote
            self._is_open = False
            return "skip"
        self._n_ragged += 1
        self._n_ragged_lines += self.dialect.line_end in row.text
        self._n_expected = row.expected_columns
        return "skip"
