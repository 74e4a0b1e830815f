"""Find the delimiter and the encoding of a CSV file, unless the settings state them.

How it works
------------
1. A byte order mark tells UTF-8 and UTF-16; a file without one is UTF-8.  Other encodings cannot be
   told from the bytes: the settings state them.
2. The beginning of the file is split into rows by each delimiter; quotes are respected.
3. A delimiter fits if it divides the header, and most of the rows have as many cells as the header.
   The delimiter with the largest share of such rows is used; a delimiter that follows each quoted
   name is preferred.
4. The same beginning shows whether quotes are written with a backslash (`escapes`).
5. In doubt the comma is used; for `.tsv` files, the tab.  The tab is also used for every `.tsv`
   file whose header has one.
"""

from __future__ import annotations

import codecs
import itertools
import re
from dataclasses import dataclass
from typing import Final

from job.adapters.tables.escapes import Escape, double_quotes, find_escape
from job.adapters.tables.formats import (
    COMPRESSIONS,
    SourceFile,
    find_compression,
    is_tab_separated,
    table_format,
)
from job.adapters.tables.heads import has_sound_quotes, read_head, split_rows
from job.errors import DatasetUnreadableError

DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_BYTES: Final = 2**18
_SAMPLE_ROWS: Final = 500
_MIN_SHARE: Final = 0.5
_UTF_16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_MAGIC: Final = {
    rb"\x1f\x8b": "gzip",
    rb"BZh[1-9]1AY&SY": "bz2",
    rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18": "zstd",  # the latter: a frame that is skipped
    rb"\xfd7zXZ\x00": "xz",
    rb"PK\x03\x04": "zip",
}
_DECOMPRESS: Final = {
    "gzip": "gzip -dc",
    "bz2": "bzip2 -dc",
    "zstd": "zstd -dc",
    "xz": "xz -dc",
    "zip": "unzip -p",
}
_CODECS: Final = {"utf-8": "utf-8", "windows-1252": "cp1252", "latin-1": "latin-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a CSV file is written.

    Attributes
    ----------
    encoding
        Name of the encoding in the settings.
    codec
        Python's name of the encoding; for UTF-16, with the order of the bytes.
    line_end
        Character that ends a line: a line feed, or in files without one a carriage return.
    escape
        How quotes in quoted cells are written.
    """

    delimiter: str
    encoding: str
    codec: str
    line_end: str
    escape: Escape


def find_dialect(file: SourceFile) -> Dialect:
    """Return the dialect of a CSV file.

    Raises
    ------
    DatasetUnreadableError
        The compression or the encoding is not the one that the name or the settings state.
    OSError, EOFError, zlib.error
        The file cannot be read or decompressed.
    """
    check_compression(file)
    head, is_complete = read_head(file.path, _SAMPLE_BYTES)
    encoding = _find_encoding(file, head)
    codec = _find_codec(encoding, head)
    delimiter = "\t" if file.csv.delimiter == "tab" else str(file.csv.delimiter)
    text = codecs.getincrementaldecoder(codec)("replace").decode(head, final=is_complete)
    text = text.removeprefix("\ufeff")
    marks = "".join(DELIMITERS) if delimiter == "auto" else delimiter
    escape: Escape = "none" if file.csv.escape == "none" else "backslash"
    if file.csv.escape == "auto":
        escape = find_escape(text, marks, is_complete=is_complete)
    if escape == "backslash":
        text = double_quotes(text, marks)
    if delimiter == "auto":
        delimiter = find_delimiter(
            text,
            is_complete=is_complete,
            default="\t" if is_tab_separated(file.path) else ",",
        )
    line_end = "\r" if "\r" in text and "\n" not in text else "\n"
    return Dialect(
        delimiter=delimiter, encoding=encoding, codec=codec, line_end=line_end, escape=escape
    )


def check_compression(file: SourceFile) -> None:
    """Raise if a file is compressed and its name does not say so, or the reverse."""
    with file.path.open("rb") as stream:
        head = stream.read(10)
    stated = find_compression(file.path)
    found = next((name for magic, name in _MAGIC.items() if re.match(magic, head)), None)
    if not head or found == stated:
        return
    ending = ".tsv" if is_tab_separated(file.path) else ".csv"
    suffixes: dict[str, str] = {name: suffix for suffix, name in COMPRESSIONS.items()}
    if stated is None:
        problem = f"is compressed with {found}, but its name does not end in .{{}}"
    elif found is None:
        problem = f"is not compressed with {stated}, but its name ends in .{suffixes[stated]}"
    else:
        problem = f"is compressed with {found}, but its name ends in .{suffixes[stated]}"
    if found is None:
        hint = f"rename it so that it ends in {ending}, if it is a CSV file"
    elif found in suffixes and table_format(file.path) == "csv":
        hint = f"rename it so that it ends in {ending}.{suffixes[found]}"
    else:
        hint = f"decompress it: `{_DECOMPRESS[found]} FILE > NEW`"
    suffix = suffixes.get(found or "", found or "")
    raise DatasetUnreadableError(f"'{file.label}' {problem.format(suffix)}", hint=hint)


def _find_encoding(file: SourceFile, head: bytes) -> str:
    """Return the name of the encoding; raise if the settings contradict the file."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise DatasetUnreadableError(
            f"'{file.label}' is UTF-32; expected UTF-8 or UTF-16",
            hint="convert it: `iconv -f UTF-32 -t UTF-8 FILE > NEW`",
        )
    marked = "utf-8" if head.startswith(codecs.BOM_UTF8) else None
    marked = "utf-16" if head[:2] in _UTF_16 else marked
    stated = file.csv.encoding
    if stated == "auto" or marked == stated:
        return marked or "utf-8"
    if marked is not None or (stated == "utf-16" and head and b"\0" not in head):
        found = f"has the byte order mark of {marked.upper()}" if marked else "is not UTF-16 text"
        raise DatasetUnreadableError(
            f"'{file.label}' {found}, but dataset.csv.encoding is {stated}",
            hint="let the job find the encoding: --set dataset.csv.encoding=auto",
        )
    return stated


def _find_codec(encoding: str, head: bytes) -> str:
    if encoding != "utf-16":
        return _CODECS[encoding]
    # NOTE: without a mark, the first character is taken for a letter of ASCII
    return _UTF_16.get(head[:2], "utf-16-be" if head[:1] == b"\0" else "utf-16-le")


def find_delimiter(text: str, *, is_complete: bool, default: str) -> str:
    """Return the delimiter of the beginning of a CSV file.

    Parameters
    ----------
    is_complete
        Whether the text is the complete file.  Otherwise it may end within a row.
    default
        Delimiter if none fits; preferred among delimiters that fit equally well.
    """
    fits: dict[str, tuple[bool, float, bool]] = {}
    for delimiter in DELIMITERS:
        rows = list(itertools.islice(split_rows(text, delimiter), _SAMPLE_ROWS))
        if not is_complete and 1 < len(rows) < _SAMPLE_ROWS:
            rows.pop()  # it may be cut
        widths = [len(row) for row in rows]
        if not widths or widths[0] < 2:
            continue
        if delimiter == default == "\t":
            return delimiter
        n_equal = widths[1:].count(widths[0])
        share = n_equal / (len(widths) - 1) if len(widths) > 1 else 1.0
        if share >= _MIN_SHARE:
            fits[delimiter] = (has_sound_quotes(text, delimiter), share, delimiter == default)
    return max(fits, key=fits.__getitem__, default=default)
