"""Fill the embedding matrix batch by batch, and record the defect of each row.

How it works
------------
1. The first batch with an embedding determines the width: the most common length of its
   embeddings.  The rows before it wait for the width.
2. If the number of rows is known, the matrix is allocated once; otherwise it grows with each batch.
3. A row that is missing, unreadable, of another width or not finite is set to zero and gets a
   defect code.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.arrays import Array
from job.contracts.dataset import MISSING, NOT_FINITE, OK, UNREADABLE, WRONG_WIDTH, Embeddings
from job.contracts.ports import MatrixAllocator
from job.stages.data.ingest.cells import convert, is_string
from job.stages.data.ingest.column_types import is_list_type

_FLAT_LIST: Final = r"^\s*\[[^\[\]]*\]\s*$"

Block = tuple[Array, Array, Array]
_NO_ROWS: Final[Block] = (
    np.empty((0, 0), np.float32),
    np.empty(0, np.uint8),
    np.empty(0, np.int32),
)


class MatrixBuilder:
    """Builds the embeddings of a table as one contiguous float32 matrix.

    Parameters
    ----------
    n_rows
        Number of rows to come; if None, the matrix grows with each batch.
    reserve
        Called with the number of bytes of the matrix before the matrix is allocated; may raise to
        refuse the allocation.  Not called if `n_rows` is None.
    matrices
        Allocates the matrix if the number of rows is known.
    """

    def __init__(
        self, n_rows: int | None, reserve: Callable[[int], None], matrices: MatrixAllocator
    ) -> None:
        self._n_expected, self._reserve, self._matrices = n_rows, reserve, matrices
        self._matrix: Array | None = None
        self._n_filled = 0
        self._waiting = np.empty(0, np.int64)  # lengths of the first rows, which have no values
        self._defects: list[Array] = []
        self._widths: list[Array] = []

    def add(self, columns: list[pa.Array]) -> Block:
        """Read a batch: one column of lists or JSON, or many columns of numbers.

        Returns
        -------
        rows, defects, widths
            The new rows of the matrix, and the defect code and number of values of each row.  There
            are none as long as all embeddings are missing or empty.
        """
        lengths, flat = read_embeddings(columns)
        if self._matrix is not None:
            return self._place(self._matrix, lengths, flat)
        self._waiting = np.concatenate([self._waiting, lengths])
        return self._place_waiting(flat) if (lengths > 0).any() else _NO_ROWS

    def finish(self) -> Block:
        """Place the rows of a table that has no embedding at all; return them as `add` does."""
        return self._place_waiting(np.empty(0)) if self._matrix is None else _NO_ROWS

    def _place_waiting(self, flat: Any) -> Block:
        shape = (self._n_expected or 0, _most_common_width(self._waiting))
        if self._n_expected:
            self._reserve(self._matrices.memory_bytes(shape))
            self._matrix = self._matrices.empty(shape)
        else:
            self._matrix = np.empty(shape, np.float32)  # grows
        lengths, self._waiting = self._waiting, np.empty(0, np.int64)
        return self._place(self._matrix, lengths, flat)

    def _place(self, matrix: Any, lengths: Array, flat: Any) -> Block:
        width, n = matrix.shape[1], len(lengths)
        end = self._n_filled + n
        if end > len(matrix):
            matrix.resize((end, width), refcheck=False)
        block = matrix[self._n_filled : end]
        defects = fill_rows(block, lengths, flat)
        self._n_filled = end
        widths = np.maximum(lengths, -1).astype(np.int32)
        self._defects.append(defects)
        self._widths.append(widths)
        return block, defects, widths

    def build(self) -> Embeddings:
        """Return the complete matrix, with the defect code and width of each row."""
        matrix = np.empty((0, 0), np.float32) if self._matrix is None else self._matrix
        return Embeddings(
            matrix=matrix[: self._n_filled],
            defects=np.concatenate([np.empty(0, np.uint8), *self._defects]),
            widths=np.concatenate([np.empty(0, np.int32), *self._widths]),
        )


def read_embeddings(columns: list[pa.Array]) -> tuple[Array, Array]:
    """Read a batch: one column of lists or JSON, or many columns of numbers.

    Returns
    -------
    lengths
        Number of values of each row; -1 if a row is missing, -2 if a row is unreadable.
    flat
        The values of the other rows, one row after the other.
    """
    array = columns[0]
    if len(columns) > 1 or not (is_string(array.type) or is_list_type(array.type)):
        return _read_wide(columns)
    return _read_json(array) if is_string(array.type) else _read_lists(array)


def fill_rows(block: Any, lengths: Array, flat: Array) -> Array:
    """Fill a matrix with the rows that `read_embeddings` returned; return their defect codes.

    Rows with a defect are zero.
    """
    n, width = block.shape
    defects = np.where(lengths == width, OK, WRONG_WIDTH).astype(np.uint8)
    defects[lengths == -1] = MISSING
    defects[lengths == -2] = UNREADABLE
    with np.errstate(over="ignore", invalid="ignore"):
        if defects.any() or width == 0:
            _fill_sound_rows(block, defects == OK, lengths, flat)
        else:
            block[:] = flat.reshape(n, width)
        # a finite sum has finite terms; only the other rows need to be checked
        suspect = np.flatnonzero(~np.isfinite(block.sum(axis=1)))
    not_finite = suspect[~np.isfinite(block[suspect]).all(axis=1)]
    defects[not_finite] = NOT_FINITE
    block[not_finite] = 0
    return defects


def _fill_sound_rows(block: Any, is_sound: Any, lengths: Any, flat: Any) -> None:
    present = np.maximum(lengths, 0)
    starts = np.cumsum(present) - present
    block[:] = 0
    block[is_sound] = flat[starts[is_sound][:, None] + np.arange(block.shape[1])]


def _most_common_width(lengths: Array) -> int:
    """Return the most common number of values per row, except 0; in a tie, the largest."""
    counts = Counter(lengths[lengths > 0].tolist())
    return int(max(counts, key=lambda width: (counts[width], width), default=0))


def _read_lists(array: pa.Array) -> tuple[Array, Array]:
    lengths = pc.fill_null(pc.list_value_length(array), -1).to_numpy(zero_copy_only=False)
    values = array.flatten()
    if pa.types.is_floating(values.type) and values.null_count == 0:
        return lengths.astype(np.int64), values.to_numpy(zero_copy_only=False)
    flat, _ = convert(values, "number")
    return lengths.astype(np.int64), flat


def _read_wide(columns: list[pa.Array]) -> tuple[Array, Array]:
    table = np.stack([convert(column, "number")[0] for column in columns], axis=1)
    lengths = np.full(len(table), table.shape[1], np.int64)
    lengths[np.isnan(table).all(axis=1)] = -1
    return lengths, table[lengths >= 0].ravel()


def _read_json(array: pa.Array) -> tuple[Array, Array]:
    cells = array.to_pylist()
    flat_lists = pc.fill_null(pc.match_substring_regex(array, _FLAT_LIST), False)
    if pc.all(flat_lists).as_py():
        try:
            rows = json.loads(f"[{','.join(cells)}]")
            if len(rows) == len(cells):
                return np.array([len(row) for row in rows]), _flatten(rows)
        except (ValueError, TypeError, OverflowError):
            pass  # at least one cell is unreadable; the loop below finds it
    parsed = [_parse(cell) for cell in cells]
    lengths = np.array([p if isinstance(p, int) else len(p) for p in parsed], np.int64)
    sound = [p for p in parsed if not isinstance(p, int)]
    return lengths, np.concatenate([np.empty(0), *sound])


def _flatten(rows: list[list[float]]) -> Array:
    return np.concatenate([np.empty(0), *(np.array(row, np.float64) for row in rows)])


def _parse(cell: str | None) -> Array | int:
    """Return the numbers of a JSON cell; -1 for an empty cell, -2 for an unreadable cell."""
    if cell is None or not cell.strip():
        return -1
    try:
        numbers = json.loads(cell)
        if not isinstance(numbers, list):
            return -2
        return np.array([np.nan if n is None else float(n) for n in numbers], np.float64)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return -2
