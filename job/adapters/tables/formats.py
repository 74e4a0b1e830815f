"""File formats of tables, recognized by the file name extension."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


def table_format(path: Path) -> str | None:
    """Return `parquet` or `csv` by the file name extension; None for any other extension."""
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    return "csv" if name.endswith((".csv", ".csv.gz")) else None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A local file and the name that messages use for it: the URI if the file is a copy."""

    path: Path
    label: str
