"""Convert the bytes of a CSV file for pyarrow: to UTF-8, and to quotes that are doubled."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from job.adapters.tables.bounds import ExpansionWatch
from job.adapters.tables.dialect import Dialect
from job.adapters.tables.escapes import double_quotes_in, has_suspect
from job.adapters.tables.formats import SourceFile, find_compression
from job.errors import DatasetUnreadableError

_PIECE_BYTES: Final = 2**20
# after the last line, it is a row of one cell, or it closes a quoted cell in which the file ends
END_MARK: Final = b'\n"'


def open_as_utf8(file: SourceFile, dialect: Dialect, end: bytes = b"") -> Any:
    """Open a CSV file; reading from it raises UnicodeDecodeError if the bytes are not text.

    The bytes `end` follow those of the file.  If the beginning of the file did not show how quotes
    are written, reading raises `DatasetUnreadableError` where the file shows that a backslash
    precedes them.
    """
    stream: _Utf8 | _Converted
    if dialect.codec == "utf-8" and dialect.escape != "backslash":
        stream = _Utf8(file, dialect, end)
    else:
        stream = _Converted(file, dialect, end)
    return pa.PythonFile(stream, mode="r")


class _Utf8:
    """A file object that raises an error if the bytes it reads are not UTF-8.

    NOTE: if a row has too few or too many cells and is not UTF-8, pyarrow raises no error, but only
    prints a message to stderr.
    """

    closed = False

    def __init__(self, file: SourceFile, dialect: Dialect, end: bytes) -> None:
        self._end = end
        self._stream = _open_bytes(file)
        self._expansion = ExpansionWatch(file)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._watch = _QuoteWatch(file, dialect)

    def read(self, n_bytes: int) -> bytes:
        """Read up to `n_bytes` bytes; raise UnicodeDecodeError if they are not UTF-8."""
        data: bytes = self._stream.read(n_bytes)
        self._expansion.add(len(data))
        for start in range(0, len(data), _PIECE_BYTES):  # in slices: decoded text needs memory
            self._decoder.decode(data[start : start + _PIECE_BYTES])
        if not data:
            self._decoder.decode(b"", final=True)
            data, self._end = self._end, b""
            return data
        self._watch.check(data)
        return data


class _Converted:
    """A file object that converts the bytes it reads, piece by piece."""

    closed = False

    def __init__(self, file: SourceFile, dialect: Dialect, end: bytes) -> None:
        pieces = _decode_pieces(file, dialect)
        if dialect.escape == "backslash":
            pieces = double_quotes_in(pieces, dialect.delimiter)
        self._pieces = itertools.chain(pieces, [end])
        self._rest = bytearray()

    def read(self, n_bytes: int) -> bytes:
        """Read up to `n_bytes` bytes of UTF-8; fewer only at the end of the file."""
        while len(self._rest) < n_bytes and (piece := next(self._pieces, None)) is not None:
            self._rest += piece
        # NOTE: pyarrow writes past its buffer if it gets more bytes than it asked for
        data = bytes(self._rest[:n_bytes])
        del self._rest[:n_bytes]
        return data


def _decode_pieces(file: SourceFile, dialect: Dialect) -> Iterator[bytes]:
    """Yield the text of a file as UTF-8."""
    stream = _open_bytes(file)
    decoder = codecs.getincrementaldecoder(dialect.codec)()
    watch, expansion = _QuoteWatch(file, dialect), ExpansionWatch(file)
    while piece := stream.read(_PIECE_BYTES):
        expansion.add(len(piece))
        data = decoder.decode(piece).encode()
        watch.check(data)
        yield data
    yield decoder.decode(b"", final=True).encode()


class _QuoteWatch:
    """Raises an error if quotes turn out to be written with a backslash after the beginning."""

    def __init__(self, file: SourceFile, dialect: Dialect) -> None:
        self._label = file.label
        self._is_on = dialect.escape == "unknown"
        self._tail = b""

    def check(self, data: bytes) -> None:
        """Look at the next bytes of the file; call it in their order."""
        if self._is_on and (has_suspect(data) or has_suspect(self._tail + data[:2])):
            raise DatasetUnreadableError(
                f"'{self._label}' has quotes after a backslash, but not at its beginning: it is "
                "not clear whether the backslash is a part of the text",
                hint="if Spark or another program has written a backslash before each quote: "
                "--set dataset.csv.escape=backslash; if backslashes are text: "
                "--set dataset.csv.escape=none",
            )
        self._tail = data[-2:]


def _open_bytes(file: SourceFile) -> Any:
    return pa.input_stream(file.path, compression=find_compression(file.path))
