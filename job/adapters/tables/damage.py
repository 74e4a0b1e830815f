"""Say what is wrong with a file that cannot be read; the messages do not quote cells."""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from job.adapters.tables.dialect import check_compression, find_dialect
from job.adapters.tables.formats import SourceFile, find_compression, table_format
from job.adapters.tables.heads import iterate_rows, open_bytes
from job.contracts.machine_errors import explain_open_files
from job.contracts.messages import pluralize
from job.contracts.shown_names import NameRule
from job.errors import DatasetUnreadableError, JobError

T = TypeVar("T")
_MAX_UNPACKED: Final = 32 * 2**20  # bytes of a compressed file
LIGHT_ERRORS: Final = (OSError, UnicodeDecodeError, EOFError, zlib.error)


def explaining_damage(file: SourceFile, call: Callable[[], T], max_bytes: int | None = None) -> T:
    """Return the result of `call`; raise `DatasetUnreadableError` if the file is damaged.

    Parameters
    ----------
    max_bytes
        Number of bytes in which cells that are not UTF-8 are counted; None for all.
    """
    try:
        return call()
    except LIGHT_ERRORS as error:
        reason = explain_damage(file, error, max_bytes)
    # NOTE: raised outside the except block, because errors quote cells of the table
    raise reason


def explain_damage(file: SourceFile, error: Exception, max_bytes: int | None = None) -> JobError:
    """Return an error that names the kind of damage."""
    text = str(error)
    if (limit := explain_open_files(error)) is not None:
        return limit
    if isinstance(error, PermissionError):
        return DatasetUnreadableError(
            f"no permission to read '{file.label}'", hint="check the permissions of the file"
        )
    kind = "Parquet" if table_format(file.path) == "parquet" else "CSV"
    try:
        check_compression(file)
    except JobError as wrong_compression:
        return wrong_compression
    if kind == "Parquet" and isinstance(error, UnicodeDecodeError):
        return DatasetUnreadableError(
            f"'{file.label}' has column names that are not UTF-8 text",
            hint="export it again, with names in UTF-8",
        )
    if isinstance(error, UnicodeDecodeError) and error.encoding != "utf-8":
        return _explain_codec(file, error.encoding)
    if re.search(r"(?i)utf-?8", text):
        return DatasetUnreadableError(
            f"'{file.label}' is not UTF-8 text{_name_broken_cells(file, max_bytes)}",
            hint="export it as UTF-8 text; if it is Latin-1 or text of Windows: "
            "--set dataset.csv.encoding=windows-1252",
        )
    if re.search(r"(?i)empty csv", text) or file.path.stat().st_size == 0:
        return empty_file(file)
    if re.search(r"(?i)straddling", text):
        return endless_row(file)
    return DatasetUnreadableError(
        f"'{file.label}' is not a readable {kind} file: it is damaged, truncated or in another "
        "format",
        hint="compare its size and SHA-256 with those of the upstream's file, and export it again",
    )


def empty_file(file: SourceFile) -> JobError:
    """Return the error about a file without a header."""
    return DatasetUnreadableError(
        f"'{file.label}' is empty", hint="check whether the upstream export has finished"
    )


def endless_row(file: SourceFile) -> JobError:
    """Return the error about a row that is longer than one block of a CSV file."""
    return DatasetUnreadableError(
        f"'{file.label}' has a row longer than 16 MB, or an unclosed quote",
        hint="check how the cells are quoted",
    )


def _explain_codec(file: SourceFile, codec: str) -> JobError:
    """Return the error about a file that is not in the encoding that was found or set."""
    if codec.startswith("utf-16"):
        return DatasetUnreadableError(
            f"'{file.label}' is not UTF-16 text: it is damaged, truncated or in another encoding",
            hint="let the job find the encoding: --set dataset.csv.encoding=auto"
            if file.csv.encoding != "auto"
            else "export it again, as UTF-8 text",
        )
    return DatasetUnreadableError(
        f"'{file.label}' has bytes that are no character of {file.csv.encoding}, which "
        "dataset.csv.encoding states",
        hint="if it is UTF-8 or UTF-16: --set dataset.csv.encoding=auto; otherwise: "
        "--set dataset.csv.encoding=latin-1",
    )


def _name_broken_cells(file: SourceFile, max_bytes: int | None) -> str:
    """Return a colon, then the columns with cells that are not UTF-8."""
    try:
        delimiter = find_dialect(file).delimiter
        with open_bytes(file.path) as stream:
            source = stream
            if max_bytes is not None or find_compression(file.path) is not None:
                source = io.BytesIO(stream.read(max_bytes or _MAX_UNPACKED))
                if max_bytes is None and stream.read(1):  # the counts would be too low
                    return ""
            lines = io.TextIOWrapper(
                source, encoding="utf-8-sig", errors="surrogateescape", newline=""
            )
            counts = _count_broken_cells(iterate_rows(lines, delimiter), file.known_names)
    except (csv.Error, OSError, EOFError, zlib.error, JobError):
        return ""
    columns = ", ".join(f"{pluralize(n, 'cell')} of {name}" for name, n in counts[:10])
    return f": {columns or 'the header'}"


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
