r"""Read quotes that are written with a backslash, as Spark writes them.

How it works
------------
1. In a quoted cell of a CSV file, a quote is doubled: `"a ""b"" c"`.  Spark writes `"a \"b\" c"`
   instead, and `\\` for a backslash.
2. A quoted cell ends at a delimiter or at the end of a line.  Under the wrong rule, many quoted
   cells end elsewhere.  The rule under which they end correctly is the rule of the file; in doubt,
   quotes are doubled.
3. `\"` in quoted cells becomes `""`, and `\\` becomes `\`.  All other text is unchanged, so a path
   such as `C:\data` keeps its backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

Escape = Literal["backslash", "none", "unknown"]

_START: Final = rb'(?:\A|(?<=[%s\r\n]))"'
_DOUBLED: Final = rb'(?:[^"]++|"")*+'
_ESCAPED: Final = rb'(?:[^"\\]++|\\.|"")*+'
_END: Final = rb'(?:(?P<end>")|\\?\Z)'
_SUSPECT: Final = re.compile(rb'\\"[^",;|\t\r\n]')
_PAIR: Final = re.compile(rb'\\(["\\])')
_MAX_CELL_BYTES: Final = 16 * 2**20
_MIN_RATIO: Final = 10


def has_suspect(data: bytes) -> bool:
    """Return whether a quote after a backslash neither ends a cell nor is doubled."""
    return b"\\" in data and _SUSPECT.search(data) is not None


def find_escape(text: str, delimiters: str, *, is_complete: bool) -> Escape:
    """Return how quotes in quoted cells are written; `unknown` if the text does not show it.

    Parameters
    ----------
    text
        Beginning of the file.
    delimiters
        Characters that can be the delimiter.
    is_complete
        Whether the text is the complete file.  Otherwise its last cell may be cut.
    """
    data = text.encode(errors="replace")
    if not has_suspect(data):
        return "unknown"
    doubled = _count_violations(data, _DOUBLED, delimiters, is_complete=is_complete)
    escaped = _count_violations(data, _ESCAPED, delimiters, is_complete=is_complete)
    return "backslash" if doubled > 0 and escaped * _MIN_RATIO <= doubled else "none"


def _count_violations(data: bytes, body: bytes, delimiters: str, *, is_complete: bool) -> int:
    """Count the quoted cells that end neither at a delimiter nor at the end of a line."""
    followers = {b"", b"\r", b"\n", *(mark.encode() for mark in delimiters)}
    n_violations = 0
    for match in _compile(body, delimiters).finditer(data):
        is_closed = bool(match["end"])
        is_sound = (
            data[match.end() : match.end() + 1] in followers if is_closed else not is_complete
        )
        n_violations += not is_sound
    return n_violations


def _compile(body: bytes, delimiters: str) -> re.Pattern[bytes]:
    marks = re.escape(delimiters.encode())
    return re.compile(_START % marks + body + _END, re.DOTALL)


def double_quotes(text: str, delimiters: str) -> str:
    """Return a text in which the quotes of quoted cells are doubled."""
    pieces = [text.encode(errors="surrogatepass")]
    return b"".join(double_quotes_in(pieces, delimiters)).decode(errors="surrogatepass")


def double_quotes_in(pieces: Iterable[bytes], delimiters: str) -> Iterator[bytes]:
    """Yield the UTF-8 text of a file piece by piece, with the quotes of quoted cells doubled."""
    pattern = _compile(_ESCAPED, delimiters)
    rest = b""
    for piece in pieces:
        rest += piece
        cut = _find_cut(pattern, rest)
        yield pattern.sub(_convert, rest[:cut])
        rest = rest[cut:]
    yield pattern.sub(_convert, rest)


def _convert(match: re.Match[bytes]) -> bytes:
    cell = match[0]
    return _PAIR.sub(_convert_pair, cell) if b"\\" in cell else cell


def _convert_pair(match: re.Match[bytes]) -> bytes:
    return b'""' if match[1] == b'"' else b"\\"


def _find_cut(pattern: re.Pattern[bytes], data: bytes) -> int:
    """Return the last position that begins a cell, outside of any quoted cell."""
    matches = list(pattern.finditer(data))
    last = matches[-1] if matches else None
    end = 0 if last is None else last.end()
    line_end = max(data.rfind(b"\n", end), data.rfind(b"\r", end))
    if line_end >= 0:
        return line_end + 1
    cut = 0 if last is None else last.start()
    # NOTE: a quote that is not closed must not keep the complete file in memory
    return len(data) if len(data) - cut > _MAX_CELL_BYTES else cut
