"""The file formats of tables, recognized by the name of the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


def table_format(path: Path) -> str | None:
    """Return `parquet` or `csv` by the file's ending; None for any other ending."""
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    return "csv" if name.endswith((".csv", ".csv.gz")) else None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A local file and its name in messages, which is the URI if the file is a copy."""

    path: Path
    label: str
