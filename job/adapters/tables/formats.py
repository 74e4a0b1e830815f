"""File formats of tables, recognized by the file name extension."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from job.contracts.settings.dataset import CsvSpec

ENDINGS: Final = ".parquet, .csv, .csv.gz, .tsv or .tsv.gz"
_ENDING: Final = re.compile(r"(?i)\.(?:(?P<parquet>parquet|pq)|(?P<csv>csv|tsv)(?:\.gz)?)$")


def table_format(path: Path) -> Literal["parquet", "csv"] | None:
    """Return `parquet` or `csv` by the file name extension; None for any other extension."""
    match = _ENDING.search(path.name)
    if match is None:
        return None
    return "parquet" if match["parquet"] else "csv"


def strip_ending(name: str) -> str:
    """Return the name of a table without its file name extension."""
    return _ENDING.sub("", name)


def is_packed(path: Path) -> bool:
    """Return whether the name says that the file is compressed with gzip."""
    return path.name.lower().endswith(".gz")


def is_tab_separated(path: Path) -> bool:
    """Return whether the name says that the delimiter is a tab."""
    return path.name.lower().endswith((".tsv", ".tsv.gz"))


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A local file of a table.

    Attributes
    ----------
    label
        Name of the file in messages: the URI if the file is a copy.
    known_names
        Names of columns that the settings know.
    csv
        Settings of the delimiter and the encoding.
    """

    path: Path
    label: str
    known_names: frozenset[str] = frozenset()
    csv: CsvSpec = field(default_factory=CsvSpec)
