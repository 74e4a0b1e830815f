"""Read the beginning of a CSV file, and split text into rows, without heavy libraries."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from job.adapters.tables.formats import find_compression


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading; decompress it as its name states.

    Files of several members, streams or frames are read completely.
    """
    match find_compression(path):
        case None:
            return path.open("rb")
        case "gzip":
            return cast("IO[bytes]", gzip.open(path, "rb"))
        case "bz2":
            return cast("IO[bytes]", bz2.open(path, "rb"))
        case "zstd":
            import pyarrow as pa  # the standard library has no zstd before Python 3.14

            return cast("IO[bytes]", pa.input_stream(path, compression="zstd"))


def read_head(path: Path, max_bytes: int) -> tuple[bytes, bool]:
    """Return at most `max_bytes` bytes, decompressed, and whether they are the complete file."""
    with open_bytes(path) as stream:
        head = stream.read(max_bytes + 1)
    return head[:max_bytes], len(head) <= max_bytes


def split_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the rows of a text as lists of cells; blank lines are skipped, as pyarrow does."""
    return iterate_rows(io.StringIO(text, newline=""), delimiter)


def iterate_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the rows of a text, which is given line by line; cells can have any length."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield from filter(None, csv.reader(lines, delimiter=delimiter))
    finally:
        csv.field_size_limit(limit)


def has_sound_quotes(text: str, delimiter: str) -> bool:
    """Return whether each quoted cell of the first row ends at a delimiter or with the row."""
    try:
        next(
            csv.reader(
                io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter, strict=True
            )
        )
    except (csv.Error, StopIteration):
        return False
    return True
