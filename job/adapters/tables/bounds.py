"""Refuse files that are far larger than they look: too many columns, or a decompression bomb."""

from __future__ import annotations

import codecs
from typing import Final

from job.adapters.tables.dialect import Dialect
from job.adapters.tables.formats import SourceFile
from job.adapters.tables.heads import read_head, split_rows
from job.errors import DatasetUnreadableError

MIN_LARGE: Final = 64 * 2**20  # decoded bytes from which the ratio is limited
_HEADER_BYTES: Final = (2**18, 2**21, 2**24)  # read one after the other, until it is whole


class ExpansionWatch:
    """Raises an error once a file has expanded to many times its size."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._n_bytes = 0
        self._size = file.path.stat().st_size

    def add(self, n_bytes: int) -> None:
        """Add decoded bytes.

        Raises
        ------
        DatasetUnreadableError
            The decoded bytes exceed 64 MiB and `max_expansion` times the size of the file.
        """
        self._n_bytes += n_bytes
        check_expansion(self._file, self._size, self._n_bytes)


def check_expansion(file: SourceFile, size: int, n_decoded: int) -> None:
    """Raise if `n_decoded` bytes are too many for a file of `size` bytes.

    Raises
    ------
    DatasetUnreadableError
        They exceed 64 MiB and `max_expansion` times the size of the file.
    """
    limit = file.limits.max_expansion
    if n_decoded <= max(MIN_LARGE, limit * size):
        return
    raise DatasetUnreadableError(
        f"'{file.label}' expands from {size:,} bytes to {n_decoded:,} or more; expected at most "
        f"{limit} times its size (dataset.max_expansion)",
        hint="check whether the file is what the upstream exported; if it is: "
        f"--set dataset.max_expansion={-(-n_decoded // max(size, 1)) * 10}",
    )


def check_column_count(file: SourceFile, n_columns: int, *, is_complete: bool = True) -> None:
    """Raise if a file has too many columns.

    Parameters
    ----------
    is_complete
        Whether `n_columns` is the number of all columns.

    Raises
    ------
    DatasetUnreadableError
        There are more than `max_columns`.
    """
    limit = file.limits.max_columns
    if n_columns > limit:
        found = f"{n_columns:,}" if is_complete else f"at least {n_columns:,}"
        needed = n_columns if is_complete else "N"
        raise DatasetUnreadableError(
            f"'{file.label}' has {found} columns; expected at most {limit:,} (dataset.max_columns)",
            hint="check whether it was exported transposed; write an embedding as one column; if "
            f"the columns are correct: --set dataset.max_columns={needed}",
        )


def check_header(file: SourceFile, dialect: Dialect) -> None:
    """Raise if the header of a CSV file has too many columns, before pyarrow finds their types.

    Raises
    ------
    DatasetUnreadableError
        There are more than `max_columns`.
    """
    for max_bytes in _HEADER_BYTES:
        head, is_complete = read_head(file.path, max_bytes)
        text = codecs.getincrementaldecoder(dialect.codec)("replace").decode(head)
        rows = split_rows(text, dialect.delimiter)
        header = next(rows, [])
        is_whole = is_complete or next(rows, None) is not None
        if is_whole or (max_bytes > _HEADER_BYTES[0] and len(header) > file.limits.max_columns):
            break
    check_column_count(file, len(header), is_complete=is_whole)
