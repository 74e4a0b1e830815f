"""The file formats that a table may have, told by the name of the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
