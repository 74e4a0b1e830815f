"""Write predictions to a Parquet or CSV file, row by row, and completely or not at all.

How it works
------------
1. Rows are written to a hidden file beside the target.
2. When all rows are written, the file is flushed to the disk and renamed to the target.
3. On any error, and when the process is terminated, the hidden file is removed.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from job.contracts.write_errors import translating_write_errors

_GROUP_ROWS: Final = 2**16
OnBegin = Callable[[Callable[[], None]], None]


class PredictionWriter(Protocol):
    """Writes rows, batch by batch."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch; all batches have the same columns."""

    def close(self) -> None:
        """Write what is left."""


@contextmanager
def open_predictions(
    path: Path, on_begin: OnBegin = lambda _: None
) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """Provide a function that appends a batch to the file, which appears after the `with` block.

    Parameters
    ----------
    on_begin
        Called before the first write, with a function that removes the unfinished file.  The caller
        should call this function if a signal ends the process.

    Raises
    ------
    ConfigurationError
        The folder does not exist or cannot be written.
    TransientError
        The disk is full, or a write to it failed.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    on_begin(lambda: unfinished.unlink(missing_ok=True))
    try:
        with _translated(path):
            stream = unfinished.open("xb")
        with stream:
            writer = _make_writer(path, stream)

            def write(batch: pa.RecordBatch) -> None:
                with _translated(path):
                    writer.write(batch)

            yield write
            with _translated(path):
                writer.close()
                stream.flush()
                os.fsync(stream.fileno())
        with _translated(path):
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _make_writer(path: Path, stream: io.BufferedWriter) -> PredictionWriter:
    name = path.name.lower()
    if name.endswith(".csv"):
        return _CsvWriter(stream)
    return _CsvWriter(stream, is_packed=True) if name.endswith(".gz") else _ParquetWriter(stream)


class _CsvWriter:
    """Writes UTF-8 text with commas; a missing value is an empty cell."""

    def __init__(self, stream: io.BufferedWriter, *, is_packed: bool = False) -> None:
        target: Any = stream
        if is_packed:
            target = gzip.GzipFile(fileobj=stream, mode="wb", filename="", mtime=0)
        self._target, self._is_packed = target, is_packed
        self._text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=False)
        self._csv = csv.writer(self._text, lineterminator="\n")
        self._has_header = False

    def write(self, batch: pa.RecordBatch) -> None:
        if not self._has_header:
            self._csv.writerow(batch.schema.names)
            self._has_header = True
        self._csv.writerows(zip(*map(_list_cells, batch.columns), strict=True))

    def close(self) -> None:
        self._text.detach()
        if self._is_packed:
            self._target.close()


def _list_cells(column: pa.Array) -> Sequence[object]:
    if pa.types.is_boolean(column.type):
        return ["true" if value else "false" for value in column.to_pylist()]
    cells: list[object] = column.to_pylist()
    return cells


class _ParquetWriter:
    """Writes row groups of many batches; a group of few rows would make the file slow to read."""

    def __init__(self, stream: io.BufferedWriter) -> None:
        self._stream = stream
        self._writer: pq.ParquetWriter | None = None
        self._batches: list[pa.RecordBatch] = []
        self._n_rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        self._batches.append(batch)
        self._n_rows += batch.num_rows
        if self._n_rows >= _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        if self._batches:
            self._write_group()
        if self._writer is not None:
            self._writer.close()

    def _write_group(self) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._stream, self._batches[0].schema)
        self._writer.write_table(pa.Table.from_batches(self._batches))
        self._batches, self._n_rows = [], 0


def _translated(path: Path) -> AbstractContextManager[None]:
    hint = "choose a file in another folder with --out FILE, or change the permissions"
    return translating_write_errors(f"write '{path}'", hint)
