"""Give pyarrow the bytes of a CSV file as UTF-8, whatever the encoding of the file is."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from job.adapters.tables.formats import find_compression

_PIECE_BYTES: Final = 2**20


def open_as_utf8(path: Path, codec: str) -> Any:
    """Open a CSV file; reading from it raises UnicodeDecodeError if the bytes are not text."""
    stream = _Utf8(path) if codec == "utf-8" else _Transcoded(path, codec)
    return pa.PythonFile(stream, mode="r")


class _Utf8:
    """A file object that raises an error if the bytes it reads are not UTF-8.

    NOTE: if a row has too few or too many cells and is not UTF-8, pyarrow raises no error, but only
    prints a message to stderr.
    """

    closed = False

    def __init__(self, path: Path) -> None:
        self._stream = _open_bytes(path)
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def read(self, n_bytes: int) -> bytes:
        """Read up to `n_bytes` bytes; raise UnicodeDecodeError if they are not UTF-8."""
        data: bytes = self._stream.read(n_bytes)
        for start in range(0, len(data), _PIECE_BYTES):  # in slices: decoded text needs memory
            self._decoder.decode(data[start : start + _PIECE_BYTES])
        if not data:
            self._decoder.decode(b"", final=True)
        return data


class _Transcoded:
    """A file object that converts the bytes it reads to UTF-8, piece by piece."""

    closed = False

    def __init__(self, path: Path, codec: str) -> None:
        self._stream = _open_bytes(path)
        self._decoder = codecs.getincrementaldecoder(codec)()
        self._rest = bytearray()
        self._is_at_end = False

    def read(self, n_bytes: int) -> bytes:
        """Read up to `n_bytes` bytes of UTF-8; fewer only at the end of the file."""
        while len(self._rest) < n_bytes and not self._is_at_end:
            piece: bytes = self._stream.read(_PIECE_BYTES)
            self._is_at_end = not piece
            self._rest += self._decoder.decode(piece, final=self._is_at_end).encode()
        # NOTE: pyarrow writes past its buffer if it gets more bytes than it asked for
        data = bytes(self._rest[:n_bytes])
        del self._rest[:n_bytes]
        return data


def _open_bytes(path: Path) -> Any:
    return pa.input_stream(path, compression=find_compression(path))
