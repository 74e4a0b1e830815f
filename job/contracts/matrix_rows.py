"""Rows of a matrix that are selected without a copy of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from job.contracts.arrays import Array, Floats32


class MatrixRows:
    """A selection of rows of a matrix; selections of the same matrix do not copy the matrix.

    Parameters
    ----------
    matrix
        Shape (n, width), float32, in C order; otherwise each `read` copies the complete matrix.
    index
        Positions of the rows, from 0; they are not checked.
    """

    __slots__ = ("_index", "_matrix")

    def __init__(self, matrix: Floats32, index: Array) -> None:
        self._matrix, self._index = matrix, index

    @property
    def shape(self) -> tuple[int, int]:
        """Number of selected rows, and number of columns."""
        return len(self._index), self._matrix.shape[1]

    def take(self, index: Array) -> MatrixRows:
        """Return some of the selected rows; `index` has positions in this selection, or a mask."""
        return MatrixRows(self._matrix, self._index[index])

    def read(self, rows: slice = slice(None), out: Floats32 | None = None) -> Floats32:
        """Return a copy of a slice of the rows, written to the contiguous array `out` if given."""
        index = self._index[rows]
        # NOTE: all positions are valid; NumPy's own check (mode="raise") would copy twice
        selected: Floats32 = self._matrix.take(index, axis=0, out=out, mode="clip")
        return selected
