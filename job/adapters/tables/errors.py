"""Translate pyarrow's errors about damaged files; the messages do not quote cells."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from job.adapters.tables.formats import SourceFile, table_format
from job.contracts.messages import pluralize
from job.contracts.shown_names import NameRule
from job.errors import DatasetUnreadableError, JobError


def translating_errors(file: SourceFile, call: Callable[[], Any]) -> Any:
    """Return the result of `call`; raise `DatasetUnreadableError` if pyarrow raises an error."""
    try:
        return call()
    except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
        reason = _translate(file, error)
    # NOTE: raised outside the except block, because pyarrow's errors quote cells of the table
    raise reason


def translating_stream_errors(file: SourceFile, stream: Any) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a stream; translate errors as `translating_errors` does."""
    batches = iter(stream)
    while (batch := translating_errors(file, lambda: next(batches, None))) is not None:
        yield batch


def _translate(file: SourceFile, error: Exception) -> JobError:
    """Return an error that names the kind of damage."""
    text = str(error)
    if isinstance(error, PermissionError):
        return DatasetUnreadableError(
            f"no permission to read '{file.label}'", hint="check the permissions of the file"
        )
    kind = "Parquet" if table_format(file.path) == "parquet" else "CSV"
    compression = _check_compression(file, kind)
    if compression is not None:
        return compression
    if kind == "Parquet" and isinstance(error, UnicodeDecodeError):
        return DatasetUnreadableError(
            f"'{file.label}' has names of columns that are not UTF-8 text",
            hint="export it again, with names in UTF-8",
        )
    if re.search(r"(?i)utf-?8", text):
        return DatasetUnreadableError(
            f"'{file.label}' {_describe_encoding(file)}",
            hint="export it as UTF-8 text, or convert it: `iconv -f ENCODING -t UTF-8 FILE > NEW`; "
            "for a UTF-16 file, ENCODING is UTF-16; for Latin-1, it is WINDOWS-1252",
        )
    if re.search(r"(?i)empty csv", text) or file.path.stat().st_size == 0:
        return DatasetUnreadableError(
            f"'{file.label}' is empty", hint="check whether the upstream export has finished"
        )
    if re.search(r"(?i)straddling", text):
        return DatasetUnreadableError(
            f"'{file.label}' has a row longer than 16 MB, or an unclosed quote",
            hint="check how the cells are quoted",
        )
    return DatasetUnreadableError(
        f"'{file.label}' is not a readable {kind} file: it is damaged, truncated or in another "
        "format",
        hint="compare its size and SHA-256 with those of the upstream's file, and export it again",
    )


def _check_compression(file: SourceFile, kind: str) -> JobError | None:
    """Return an error if the file is compressed and its name does not say so, or the reverse."""
    with file.path.open("rb") as stream:
        head = stream.read(2)
    is_packed, is_named_so = head == b"\x1f\x8b", file.path.name.lower().endswith(".gz")
    if is_packed and not is_named_so:
        return DatasetUnreadableError(
            f"'{file.label}' is compressed with gzip, but its name does not end in .gz",
            hint="rename it so that it ends in .csv.gz"
            if kind == "CSV"
            else "decompress it: `gzip -dc FILE > NEW`",
        )
    if head and is_named_so and not is_packed:
        return DatasetUnreadableError(
            f"'{file.label}' is not compressed with gzip, but its name ends in .gz",
            hint="rename it so that it ends in .csv, if it is a CSV file",
        )
    return None


def _describe_encoding(file: SourceFile) -> str:
    """Return the end of a sentence that says why a file is not UTF-8 text.

    It names the other encoding, or the columns whose cells are not UTF-8.
    """
    with file.path.open("rb") as stream:
        head = stream.read(2)
    if head in (b"\xff\xfe", b"\xfe\xff"):
        return "is UTF-16, not UTF-8"
    is_packed = file.path.name.lower().endswith(".gz")
    opener = gzip.open if is_packed else open
    with opener(file.path, "rt", encoding="utf-8", errors="surrogateescape", newline="") as text:
        try:
            counts = _count_broken_cells(csv.reader(text), file.known_names)
        except (csv.Error, OSError, EOFError, zlib.error):
            return "is not UTF-8 text"
    columns = ", ".join(f"{pluralize(n, 'cell')} of {name}" for name, n in counts[:10])
    return f"is not UTF-8 text: {columns or 'the header'}"


def _count_broken_cells(
    rows: Iterator[list[str]], known_names: frozenset[str]
) -> list[tuple[str, int]]:
    """Return pairs of a column, by name or number, and its number of cells that are not UTF-8."""
    header = next(rows, [])
    if any(map(_is_broken, header)):
        return []
    rule = NameRule(known=known_names, is_complete=False)
    labels = [rule.quote(name, number) for number, name in enumerate(header, start=1)]
    counts = Counter(
        labels[n] if n < len(labels) else "no column"
        for row in rows
        for n, cell in enumerate(row)
        if _is_broken(cell)
    )
    return sorted(counts.items())


def _is_broken(cell: str) -> bool:
    return any("\udc80" <= letter <= "\udcff" for letter in cell)
