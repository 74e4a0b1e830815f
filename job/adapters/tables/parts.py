"""Read one file of a table: Parquet by row group, CSV in chunks."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from job.adapters.tables.errors import translating_errors, translating_stream_errors
from job.adapters.tables.formats import SourceFile
from job.contracts.messages import pluralize
from job.errors import DatasetUnreadableError

_BATCH_ROWS: Final = 2048
_CSV_BLOCK_BYTES: Final = 16 * 2**20
_CHECKED_BYTES: Final = 2**20
_METADATA_SKIPPED: Final = (b"ARROW:schema", b"pandas")


class ParquetPart:
    """One Parquet file of a table."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._file: Any = translating_errors(
            file,
            # NOTE: pre-buffering would hold every column chunk of a row group in memory
            lambda: pq.ParquetFile(file.path, pre_buffer=False, buffer_size=1 << 20),
        )
        schema = translating_errors(file, lambda: self._file.schema_arrow)
        self.names: tuple[str, ...] = tuple(schema.names)
        self.n_rows: int | None = self._file.metadata.num_rows
        self.metadata = tuple(
            (key.decode(errors="replace"), value.decode(errors="replace"))
            for key, value in sorted((schema.metadata or {}).items())
            if key not in _METADATA_SKIPPED
        )

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield batches with the named columns; row groups are decoded one after the other."""
        stream = self._file.iter_batches(_BATCH_ROWS, columns=list(columns))
        yield from translating_stream_errors(self.file, stream)


class CsvPart:
    """One CSV file of a table; columns are read as text, because settings define the types."""

    n_rows: int | None = None
    metadata: tuple[tuple[str, str], ...] = ()

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._n_ragged = 0
        self._n_expected = 0
        self.names: tuple[str, ...] = _read_header(file)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield batches with the named columns; the file is parsed in chunks.

        Raises
        ------
        DatasetUnreadableError
            A row has too few or too many cells.
        """
        self._n_ragged = n_read = 0
        reader = translating_errors(self.file, lambda: self._open(columns))
        for batch in translating_stream_errors(self.file, reader):
            n_read += batch.num_rows
            yield batch
        if self._n_ragged:
            raise DatasetUnreadableError(
                f"'{self.file.label}': {pluralize(self._n_ragged, 'row')} "
                f"{'has' if self._n_ragged == 1 else 'have'} a different number of cells than the "
                f"header, which has {self._n_expected}",
                hint="quote cells that contain a comma or a line break"
                if n_read
                else "no row fits the header: is a name missing in the first line, or does the "
                "line lack quotes around a name with a comma? `head -n 2 FILE` shows both lines",
            )

    def _open(self, columns: Sequence[str]) -> Any:
        return pacsv.open_csv(
            _stream(self.file.path),
            read_options=pacsv.ReadOptions(block_size=_CSV_BLOCK_BYTES, use_threads=False),
            parse_options=pacsv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=self._count_ragged
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=list(columns),
                strings_can_be_null=False,
            ),
        )

    def _count_ragged(self, row: Any) -> str:
        self._n_ragged += 1
        self._n_expected = row.expected_columns
        return "skip"


class _Utf8:
    """A file object that raises an error if the bytes it reads are not UTF-8.

    NOTE: pyarrow decodes a row with too few or too many cells itself; if the row is not UTF-8,
    pyarrow only prints this to stderr.
    """

    closed = False

    def __init__(self, path: Path) -> None:
        is_packed = path.name.lower().endswith(".gz")
        self._stream = pa.input_stream(path, compression="gzip" if is_packed else None)
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def read(self, n_bytes: int) -> bytes:
        """Read up to `n_bytes` bytes; raise UnicodeDecodeError if they are not UTF-8."""
        data: bytes = self._stream.read(n_bytes)
        for start in range(0, len(data), _CHECKED_BYTES):  # in slices: decoded text needs memory
            self._decoder.decode(data[start : start + _CHECKED_BYTES])
        if not data:
            self._decoder.decode(b"", final=True)
        return data


def _stream(path: Path) -> Any:
    return pa.PythonFile(_Utf8(path), mode="r")


def _read_header(file: SourceFile) -> tuple[str, ...]:
    def parse() -> tuple[str, ...]:
        reader = pacsv.open_csv(
            _stream(file.path),
            read_options=pacsv.ReadOptions(block_size=_CSV_BLOCK_BYTES, use_threads=False),
            parse_options=pacsv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=lambda _: "skip"
            ),
            # NOTE: type inference would read cells, and its errors would quote them
            convert_options=pacsv.ConvertOptions(include_columns=[]),
        )
        return tuple(reader.schema.names)

    names: tuple[str, ...] = translating_errors(file, parse)
    return names
