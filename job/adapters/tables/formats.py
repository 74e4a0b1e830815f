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
    """A local file of a table.

    Attributes
    ----------
    label
        Name of the file in messages: the URI if the file is a copy.
    known_names
        Names of columns that the settings know.
    """

    path: Path
    label: str
    known_names: frozenset[str] = frozenset()
