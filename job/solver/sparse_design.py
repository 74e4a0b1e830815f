"""A sparse matrix with few entries per row; some of its columns may be dense.

How it works
------------
1. The dense columns are the longest run of columns in which most rows have an entry (embeddings
   next to text).  They are stored as a dense array, centered and rotated to their principal axes,
   largest variance first.
2. The other columns are stored twice: by rows to compute logits, by columns to compute gradients.
3. Both copies are cut into spans for threads, and the results of the spans are added in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy import sparse

from job.contracts.ports import ParallelMap
from job.solver.arrays import Array
from job.solver.dense_design import MAX_DECOMPOSED, sampled_moments
from job.solver.row_spans import cut_spans, sum_in_order

# Takes logits of shape (n, K) and their rows; returns a number and the derivatives of that shape.
Residuals = Callable[[Array, slice], tuple[float, Array]]
_MIN_DENSE_COLUMNS: Final = 16


class SparseDesign:
    """A sparse matrix and the threads that work on it.

    A point is a model in the form that the solver uses: an array of shape (D + 1, K) for D columns
    and K logits.  The first D rows are the coefficients of the columns as stored, which means that
    dense columns are centered and rotated.  The last row has the intercepts.  `to_coefficients` and
    `from_coefficients` convert a point to coefficients of the original columns and back.

    Attributes
    ----------
    dense_columns
        Range of the dense columns; may be empty.
    axes
        The dense columns after centering and rotation, shape (n_samples, n_dense).
    """

    def __init__(self, X: sparse.csr_matrix, weights: Array, parallel_map: ParallelMap) -> None:
        self.parallel_map = parallel_map
        self.shape, self.dtype = X.shape, X.dtype
        self.dense_columns = _longest_dense_run(X)
        dense = X[:, self.dense_columns].toarray()
        mean, covariance = sampled_moments(dense, weights)
        self._mean = mean.astype(self.dtype)
        self._rotation = np.linalg.eigh(covariance)[1][:, ::-1].astype(self.dtype)
        self.axes = np.ascontiguousarray((dense - self._mean) @ self._rotation)
        rest = _drop_columns(X, self.dense_columns)
        self._rows = _row_views(rest)
        self._columns = _row_views(rest.T.tocsr())

    def loss_and_gradient(self, point: Array, residuals: Residuals) -> tuple[float, Array]:
        """Return the loss at the coefficients `point`, summed over rows, and its gradient.

        `residuals` is a function of logits; it returns the loss and its derivatives by the logits.
        """
        W, b = point[:-1].astype(self.dtype, copy=False), point[-1].astype(self.dtype, copy=False)
        R = np.empty((self.shape[0], len(b)), self.dtype)
        rotated = np.ascontiguousarray(W[self.dense_columns])

        def forward(part: tuple[slice, sparse.csr_matrix]) -> tuple[float, Array, Array]:
            rows, X = part
            Z = X @ W
            Z += self.axes[rows] @ rotated
            Z += b
            loss, R[rows] = residuals(Z, rows)
            return loss, self.axes[rows].T @ R[rows], R[rows].sum(axis=0)

        parts = self.parallel_map(forward, self._rows)
        loss, by_axis, by_intercept = (sum_in_order(part[n] for part in parts) for n in range(3))
        gradient = self._transposed_product(R, lambda X: X)
        gradient[self.dense_columns], gradient[-1] = by_axis, by_intercept
        return loss, gradient

    def weighted_column_squares(self, weights: Array) -> Array:
        """Return the weighted sum of squares of each of D columns, for K sets of weights.

        `weights` has shape (n_samples, K), and the result (D + 1, K).  The last row is that of the
        intercept, whose column consists of ones.
        """

        def square(part: tuple[slice, sparse.csr_matrix]) -> tuple[Array, Array]:
            rows, _ = part
            return np.square(self.axes[rows]).T @ weights[rows], weights[rows].sum(axis=0)

        squares = self._transposed_product(weights, lambda X: X.multiply(X).tocsr())
        parts = self.parallel_map(square, self._rows)
        squares[self.dense_columns], squares[-1] = (
            sum_in_order(part[n] for part in parts) for n in range(2)
        )
        return squares

    def _transposed_product(
        self, R: Array, transform: Callable[[sparse.csr_matrix], sparse.csr_matrix]
    ) -> Array:
        """Apply `transform` to the transposed matrix, and multiply the result by R (n_samples, K).

        The result has shape (D + 1, K) for D columns.  Its rows for the dense columns and the
        intercept are undefined.
        """
        product = np.empty((self.shape[1] + 1, R.shape[1]), self.dtype)

        def backward(part: tuple[slice, sparse.csr_matrix]) -> None:
            columns, X = part
            product[columns] = transform(X) @ R

        self.parallel_map(backward, self._columns)
        return product

    def to_coefficients(self, point: Array) -> tuple[Array, Array]:
        """Convert a point to coefficients (K, D) and intercepts (K,) of the original columns."""
        W, b = point[:-1].astype(self.dtype), point[-1]
        W[self.dense_columns] = self._rotation @ W[self.dense_columns]
        return np.ascontiguousarray(W.T), b - self._mean @ W[self.dense_columns]

    def from_coefficients(self, coefficients: Array, intercepts: Array) -> Array:
        """Convert coefficients (K, D) and intercepts (K,) to a point, in float64."""
        point = np.vstack([coefficients.T, intercepts]).astype(np.float64)
        point[-1] += self._mean @ point[self.dense_columns]
        point[self.dense_columns] = self._rotation.T @ point[self.dense_columns]
        return point

    def shift_dense_columns(self, point: Array, change: Array) -> Array:
        """Return a copy of `point` with `change` added to the dense columns and the intercepts.

        `change` has the shape of `point`; its values for sparse columns are ignored.
        """
        shifted = point.copy()
        shifted[self.dense_columns] += change[self.dense_columns]
        shifted[-1] += change[-1]
        return shifted

    def max_abs_gradient(self, gradient: Array) -> float:
        """Convert a gradient to the original columns; return its largest absolute value."""
        original = gradient.copy()
        by_axis = self._rotation @ gradient[self.dense_columns]
        original[self.dense_columns] = by_axis + np.outer(self._mean, gradient[-1])
        return float(np.abs(original).max())


def _row_views(X: sparse.csr_matrix) -> list[tuple[slice, sparse.csr_matrix]]:
    """Return spans of rows, each with a view of these rows of the matrix."""
    parts = []
    for span in cut_spans(X.shape[0]):
        ends = X.indptr[span.start : span.stop + 1]
        entries = slice(ends[0], ends[-1])
        arrays = (X.data[entries], X.indices[entries], ends - ends[0])
        shape = (span.stop - span.start, X.shape[1])
        parts.append((span, sparse.csr_matrix(arrays, shape=shape, copy=False)))
    return parts


def _longest_dense_run(X: sparse.csr_matrix) -> slice:
    """Return the longest run of columns in which most rows have an entry.

    The run is empty if it would be too short to pay off, or too wide to decompose.
    """
    is_dense = np.bincount(X.indices, minlength=X.shape[1]) > X.shape[0] / 2
    edges = np.flatnonzero(np.diff(is_dense, prepend=False, append=False))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts) or not _MIN_DENSE_COLUMNS <= (stops - starts).max() <= MAX_DECOMPOSED:
        return slice(0, 0)
    longest = int((stops - starts).argmax())
    return slice(int(starts[longest]), int(stops[longest]))


def _drop_columns(X: sparse.csr_matrix, columns: slice) -> sparse.csr_matrix:
    """Return the matrix with the entries of `columns` removed; its shape does not change."""
    is_kept = (X.indices < columns.start) | (X.indices >= columns.stop)
    if is_kept.all():
        return X
    indptr = np.concatenate([[0], np.cumsum(is_kept)])[X.indptr]
    arrays = (X.data[is_kept], X.indices[is_kept], indptr.astype(X.indptr.dtype))
    return sparse.csr_matrix(arrays, shape=X.shape)
