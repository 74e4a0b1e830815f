"""File formats of tables, recognized by the file name extension."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final, Literal

from job.contracts.settings.dataset import CsvSpec, ReadLimits

Compression = Literal["gzip", "bz2", "zstd"]

ENDINGS: Final = ".parquet, .csv or .tsv; .csv and .tsv also with .gz, .bz2 or .zst"
COMPRESSIONS: Final[Mapping[str, Compression]] = {"gz": "gzip", "bz2": "bz2", "zst": "zstd"}
_ENDING: Final = re.compile(
    r"(?i)\.(?:(?P<parquet>parquet|pq)|(?P<csv>csv|tsv)(?:\.(?P<packed>gz|bz2|zst))?)$"
)
# commands that convert files of other formats, by the end of their names
_CONVERSIONS: Final[Mapping[str, str]] = {
    "zip": "unzip -p FILE > NEW.csv",
    "7z": "7z x -so FILE > NEW.csv",
    "tar": "tar -xf FILE",
    "tar.gz": "tar -xzf FILE",
    "tgz": "tar -xzf FILE",
    "xz": "xz -dc FILE > NEW.csv",
    "lzma": "xz -dc FILE > NEW.csv",
    "lz4": "lz4 -dc FILE > NEW.csv",
    "z": "gzip -dc FILE > NEW.csv",
    "br": "brotli -dc FILE > NEW.csv",
    "parquet.gz": "gzip -dc FILE > NEW.parquet",
    "parquet.zst": "zstd -dc FILE > NEW.parquet",
    "gz": "gzip -dc FILE > NEW.csv",
    "zst": "zstd -dc FILE > NEW.csv",
    "bz2": "bzip2 -dc FILE > NEW.csv",
    **{
        ending: f"python -c \"import pandas; pandas.{reader}.to_parquet('NEW.parquet')\""
        for ending, reader in {
            "xlsx": "read_excel('FILE')",
            "xls": "read_excel('FILE')",
            "ods": "read_excel('FILE')",
            "json": "read_json('FILE')",
            "jsonl": "read_json('FILE', lines=True)",
            "ndjson": "read_json('FILE', lines=True)",
            "orc": "read_orc('FILE')",
            "feather": "read_feather('FILE')",
            "arrow": "read_feather('FILE')",
            "pkl": "read_pickle('FILE')",
            "sas7bdat": "read_sas('FILE')",
            "dta": "read_stata('FILE')",
        }.items()
    },
}


def table_format(path: PurePath) -> Literal["parquet", "csv"] | None:
    """Return `parquet` or `csv` by the file name extension; None for any other extension."""
    match = _ENDING.search(path.name)
    if match is None:
        return None
    return "parquet" if match["parquet"] else "csv"


def suggest_conversion(name: str) -> str | None:
    """Return the command that converts a file whose name states another format; or None.

    >>> suggest_conversion("t.csv.xz"), suggest_conversion("t.txt")
    ('xz -dc FILE > NEW.csv', None)
    """
    parts = name.lower().split(".")[1:]
    for ending in (".".join(parts[-2:]), parts[-1] if parts else ""):
        if ending in _CONVERSIONS:
            return _CONVERSIONS[ending]
    return None


def strip_ending(name: str) -> str:
    """Return the name of a table without its file name extension."""
    return _ENDING.sub("", name)


def find_compression(path: Path) -> Compression | None:
    """Return how a CSV file is compressed by its name; None if it is not compressed."""
    match = _ENDING.search(path.name)
    return COMPRESSIONS.get((match["packed"] or "").lower()) if match else None


def is_tab_separated(path: Path) -> bool:
    """Return whether the name says that the delimiter is a tab."""
    match = _ENDING.search(path.name)
    return bool(match and (match["csv"] or "").lower() == "tsv")


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
    limits
        Limits of the number of columns and of the decoded size.
    """

    path: Path
    label: str
    known_names: frozenset[str] = frozenset()
    csv: CsvSpec = field(default_factory=CsvSpec)
    limits: ReadLimits = field(default_factory=ReadLimits)

    def sha256(self) -> str:
        """Return the SHA-256 of the bytes of the file, as hexadecimal digits."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
