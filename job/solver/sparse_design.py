"""A matrix with few entries in a row, some columns of which may be full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from job.contracts.ports import ParallelMap
from job.solver.dense_design import MAX_DECOMPOSED, sampled_moments
from job.solver.row_spans import spans_of, sum_of

Array = npt.NDArray[Any]
# Gives a number and the derivatives by logits, shape (n, K), from logits of that shape and the
# rows they are of.
Residuals = Callable[[Array, slice], tuple[float, Array]]
_MIN_FULL_ROWS: Final = 16


class SparseDesign:
    """Logits by rows, gradients by columns; full columns, as of embeddings, by dense products.

    The full columns are held around their mean and turned to their principal axes, the widest
    first.  A point has shape (D + 1, K), with the intercepts in its last row, and is of the columns
    as they are held; `to_coefficients` and `from_coefficients` lead to the coefficients of the
    given ones and back.

    Attributes
    ----------
    full
        Which columns are full; there may be none.
    axes
        The turned columns, shape (n_samples, n_full).
    """

    def __init__(self, X: sparse.csr_matrix, weights: Array, parallel_map: ParallelMap) -> None:
        self.parallel_map = parallel_map
        self.shape, self.dtype = X.shape, X.dtype
        self.full = _longest_full_run(X)
        dense = X[:, self.full].toarray()
        mean, covariance = sampled_moments(dense, weights)
        self._mean = mean.astype(self.dtype)
        self._turn = np.linalg.eigh(covariance)[1][:, ::-1].astype(self.dtype)
        self.axes = np.ascontiguousarray((dense - self._mean) @ self._turn)
        rest = _without(X, self.full)
        self._rows = _views(rest)
        self._columns = _views(rest.T.tocsr())

    def loss_and_gradient(self, point: Array, residuals: Residuals) -> tuple[float, Array]:
        """Return the sum of what `residuals` gives, and the derivatives by the point."""
        W, b = point[:-1].astype(self.dtype, copy=False), point[-1].astype(self.dtype, copy=False)
        R = np.empty((self.shape[0], len(b)), self.dtype)
        turned = np.ascontiguousarray(W[self.full])

        def forward(part: tuple[slice, Any]) -> tuple[float, Array, Array]:
            rows, X = part
            Z = X @ W
            Z += self.axes[rows] @ turned
            Z += b
            found, R[rows] = residuals(Z, rows)
            return found, self.axes[rows].T @ R[rows], R[rows].sum(axis=0)

        parts = self.parallel_map(forward, self._rows)
        found, by_axis, by_intercept = (sum_of(part[n] for part in parts) for n in range(3))
        gradient = self._backward(R, lambda X: X)
        gradient[self.full], gradient[-1] = by_axis, by_intercept
        return found, gradient

    def weighted_column_squares(self, weights: Array) -> Array:
        """Sum weights, shape (n_samples, K), times the square of each column, a last one of 1."""

        def square(part: tuple[slice, Any]) -> tuple[Array, Array]:
            rows, _ = part
            return np.square(self.axes[rows]).T @ weights[rows], weights[rows].sum(axis=0)

        found = self._backward(weights, lambda X: X.multiply(X).tocsr())
        parts = self.parallel_map(square, self._rows)
        found[self.full], found[-1] = (sum_of(part[n] for part in parts) for n in range(2))
        return found

    def _backward(self, R: Array, of: Callable[[Any], Any]) -> Array:
        found = np.empty((self.shape[1] + 1, R.shape[1]), self.dtype)

        def backward(part: tuple[slice, Any]) -> None:
            columns, X = part
            found[columns] = of(X) @ R

        self.parallel_map(backward, self._columns)
        return found

    def to_coefficients(self, point: Array) -> tuple[Array, Array]:
        """Return coefficients (K, D) and intercepts (K,) of the given columns."""
        W, b = point[:-1].astype(self.dtype), point[-1]
        W[self.full] = self._turn @ W[self.full]
        return np.ascontiguousarray(W.T), b - self._mean @ W[self.full]

    def from_coefficients(self, coefficients: Array, intercepts: Array) -> Array:
        """Return the point of coefficients and intercepts, in float64."""
        point = np.vstack([coefficients.T, intercepts]).astype(np.float64)
        point[-1] += self._mean @ point[self.full]
        point[self.full] = self._turn.T @ point[self.full]
        return point

    def shift_dense_columns(self, point: Array, move: Array) -> Array:
        """Move a point along the full columns and the intercepts."""
        moved = point.copy()
        moved[self.full] += move[self.full]
        moved[-1] += move[-1]
        return moved

    def largest(self, gradient: Array) -> float:
        """Return the largest derivative by coefficients and intercepts of the given columns."""
        given = gradient.copy()
        by_axis = self._turn @ gradient[self.full]
        given[self.full] = by_axis + np.outer(self._mean, gradient[-1])
        return float(np.abs(given).max())


def _views(X: Any) -> list[tuple[slice, Any]]:
    """Cut a matrix into spans of rows that share its arrays."""
    parts = []
    for span in spans_of(X.shape[0]):
        ends = X.indptr[span.start : span.stop + 1]
        entries = slice(ends[0], ends[-1])
        arrays = (X.data[entries], X.indices[entries], ends - ends[0])
        shape = (span.stop - span.start, X.shape[1])
        parts.append((span, sparse.csr_matrix(arrays, shape=shape, copy=False)))
    return parts


def _longest_full_run(X: sparse.csr_matrix) -> slice:
    """Find the longest run of columns that most rows have an entry in; short ones do not count."""
    is_full = np.bincount(X.indices, minlength=X.shape[1]) > X.shape[0] / 2
    edges = np.flatnonzero(np.diff(is_full, prepend=False, append=False))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts) or not _MIN_FULL_ROWS <= (stops - starts).max() <= MAX_DECOMPOSED:
        return slice(0, 0)
    longest = int((stops - starts).argmax())
    return slice(int(starts[longest]), int(stops[longest]))


def _without(X: sparse.csr_matrix, columns: slice) -> sparse.csr_matrix:
    """Leave out the entries of a run of columns."""
    kept = (X.indices < columns.start) | (X.indices >= columns.stop)
    if kept.all():
        return X
    indptr = np.concatenate([[0], np.cumsum(kept)])[X.indptr]
    arrays = (X.data[kept], X.indices[kept], indptr.astype(X.indptr.dtype))
    return sparse.csr_matrix(arrays, shape=X.shape)
