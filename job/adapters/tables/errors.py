"""Translate what pyarrow says of damaged files, without the cells it quotes."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from job.adapters.tables.formats import SourceFile, format_of
from job.contracts.messages import pluralize
from job.errors import DatasetUnreadableError, JobError


def translating_errors(file: SourceFile, call: Callable[[], Any]) -> Any:
    """Call, and raise `DatasetUnreadableError` in our words where pyarrow cannot read."""
    try:
        return call()
    except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
        reason = _reason(file, error)
    # NOTE: raised outside the except block, because pyarrow's errors quote the cells they meet
    raise reason


def translating_stream_errors(file: SourceFile, stream: Any) -> Iterator[pa.RecordBatch]:
    """Iterate under the same guard."""
    batches = iter(stream)
    while (batch := translating_errors(file, lambda: next(batches, None))) is not None:
        yield batch


def _reason(file: SourceFile, error: Exception) -> JobError:
    """Say which kind of damage it is, in our words."""
    text = str(error)
    if isinstance(error, PermissionError):
        return DatasetUnreadableError(
            f"'{file.label}' may not be read", hint="check its permissions"
        )
    if re.search(r"(?i)utf-?8", text):
        return DatasetUnreadableError(
            f"'{file.label}' {_encoding_of(file)}", hint="export it as UTF-8 text"
        )
    patterns = (
        (r"(?i)empty csv", "is empty", "check whether the upstream export has finished"),
        (r"(?i)straddling", "has a row longer than 16 MB, or an unclosed quote", "check quoting"),
    )
    for pattern, what, hint in patterns:
        if re.search(pattern, text):
            return DatasetUnreadableError(f"'{file.label}' {what}", hint=hint)
    kind = "Parquet" if format_of(file.path) == "parquet" else "CSV"
    if file.path.stat().st_size == 0:
        return DatasetUnreadableError(
            f"'{file.label}' is empty", hint="check whether the upstream export has finished"
        )
    return DatasetUnreadableError(
        f"'{file.label}' is not a readable {kind} file: it is damaged, truncated or of another "
        "format",
        hint="export it again, and compare its size and SHA-256 with the upstream's",
        error=type(error).__name__,
    )


def _encoding_of(file: SourceFile) -> str:
    """Say what the file is instead of UTF-8, or which columns hold what is not."""
    with file.path.open("rb") as stream:
        head = stream.read(2)
    if head in (b"\xff\xfe", b"\xfe\xff"):
        return "is UTF-16, not UTF-8"
    is_packed = file.path.name.lower().endswith(".gz")
    if head == b"\x1f\x8b" and not is_packed:
        return "is compressed by gzip, and not named .gz"
    opener = gzip.open if is_packed else open
    with opener(file.path, "rt", encoding="utf-8", errors="surrogateescape", newline="") as text:
        try:
            found = _broken_columns(csv.reader(text))
        except csv.Error:
            return "is not UTF-8 text"
    columns = ", ".join(f"{pluralize(n, 'cell')} of '{name}'" for name, n in found[:10])
    return f"is not UTF-8 text: {columns or 'its header'}"


def _broken_columns(rows: Iterator[list[str]]) -> list[tuple[str, int]]:
    """Count the cells of each column that hold bytes which are no UTF-8."""
    header = next(rows, [])
    if any(map(_is_broken, header)):
        return []
    found = Counter(
        header[n] if n < len(header) else "no column"
        for row in rows
        for n, cell in enumerate(row)
        if _is_broken(cell)
    )
    return sorted(found.items())


def _is_broken(cell: str) -> bool:
    return any("\udc80" <= letter <= "\udcff" for letter in cell)
