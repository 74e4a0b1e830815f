"""Translate what pyarrow says of damaged files, without the cells it quotes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from job.errors import DatasetUnreadableError, JobError


def format_of(path: Path) -> str | None:
    """Tell the format by the file's ending; None where it is neither."""
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    return "csv" if name.endswith((".csv", ".csv.gz")) else None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A local file, and what it is called in messages: its URI where it is a copy."""

    path: Path
    label: str


def guarded(file: SourceFile, call: Callable[[], Any]) -> Any:
    """Call, and raise `DatasetUnreadableError` in our words where pyarrow cannot read."""
    try:
        return call()
    except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
        reason = _reason(file, error)
    # NOTE: raised outside the except block, because pyarrow's errors quote the cells they meet
    raise reason


def guarded_stream(file: SourceFile, stream: Any) -> Iterator[pa.RecordBatch]:
    """Iterate under the same guard."""
    batches = iter(stream)
    while (batch := guarded(file, lambda: next(batches, None))) is not None:
        yield batch


def _reason(file: SourceFile, error: Exception) -> JobError:
    """Say which kind of damage it is, in our words."""
    text = str(error)
    if isinstance(error, PermissionError):
        return DatasetUnreadableError(
            f"'{file.label}' may not be read", hint="check its permissions"
        )
    patterns = (
        (r"(?i)utf-?8", "is not UTF-8 text", "export it as UTF-8"),
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
