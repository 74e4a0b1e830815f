"""A matrix with few entries in a row, some columns of which may be full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from job.contracts.ports import Spread
from job.stages.search.dense import MOST_DECOMPOSED, sampled_moments
from job.stages.search.designs import Residuals, spans_of, sum_of

Array = npt.NDArray[Any]
_LEAST_FULL: Final = 16


class SparseDesign:
    """Logits by rows, gradients by columns; full columns, as of embeddings, by dense products."""

    def __init__(self, X: sparse.csr_matrix, spread: Spread) -> None:
        self.spread = spread
        self.shape, self.dtype = X.shape, X.dtype
        self.full = _longest_full_run(X)
        self._dense = X[:, self.full].toarray()
        rest = _without(X, self.full)
        self._rows = _views(rest)
        self._columns = _views(rest.T.tocsr())

    def evaluate(
        self, coefficients: Array, intercepts: Array, residuals: Residuals
    ) -> tuple[Array, Array, Array]:
        """Give losses and gradients, as every design does."""
        n_problems, n_classes, n_features = coefficients.shape
        n_columns = n_problems * n_classes
        W = np.ascontiguousarray(coefficients.reshape(n_columns, -1).T, dtype=self.dtype)
        b = intercepts.reshape(-1).astype(self.dtype, copy=False)
        R = np.empty((self.shape[0], n_columns), self.dtype)
        G = np.empty((n_columns, n_features), self.dtype)

        def forward(part: tuple[slice, Any]) -> tuple[Array, Array]:
            Z = self._logits(part, W, b).reshape(n_problems, n_classes, -1)
            loss, found = residuals(Z, part[0])
            found = found.reshape(n_columns, -1)
            R[part[0]] = found.T
            return loss, found.sum(axis=1)

        def backward(part: tuple[slice, Any]) -> None:
            columns, X = part
            G[:, columns] = (X @ R).T

        def backward_full(some: slice) -> None:
            G[some, self.full] = R[:, some].T @ self._dense

        parts = self.spread(forward, self._rows)
        self.spread(backward, self._columns)
        if self._dense.shape[1]:
            self.spread(backward_full, spans_of(n_columns))
        loss, by_b = (sum_of(part[n] for part in parts) for n in range(2))
        return loss, G.reshape(coefficients.shape), by_b.reshape(intercepts.shape)

    def sum_rows(
        self, coefficients: Array, intercepts: Array, function: Callable[[Array, slice], Array]
    ) -> Array:
        """Sum what a function gives, as every design does."""
        W = np.ascontiguousarray(coefficients.reshape(-1, self.shape[1]).T, dtype=self.dtype)
        b = intercepts.reshape(-1).astype(self.dtype, copy=False)

        def work(part: tuple[slice, Any]) -> Array:
            Z = self._logits(part, W, b)
            return function(Z.reshape(*intercepts.shape, -1), part[0])

        return sum_of(self.spread(work, self._rows))

    def _logits(self, part: tuple[slice, Any], W: Array, b: Array) -> Array:
        """Give the logits of a span of rows, shape (n_columns, n)."""
        rows, X = part
        Z = X @ W
        if self._dense.shape[1]:
            Z += self._dense[rows] @ W[self.full]
        Z += b
        return np.ascontiguousarray(Z.T)

    def moments(self, weights: Array) -> tuple[Array, Array, Array]:
        """Give moments as every design does; those of full columns from a sample."""
        w = weights / weights.sum()
        mean = sum_of(X.T @ w[rows] for rows, X in self._rows)
        square = sum_of(X.multiply(X).T @ w[rows] for rows, X in self._rows)
        variance = np.maximum(square - mean**2, 0.0)
        covariance = np.empty((0, 0))
        if self._dense.shape[1]:
            mean[self.full], covariance = sampled_moments(self._dense, weights)
            variance[self.full] = np.diag(covariance)
        return mean, variance, covariance

    def row_bytes(self, n_classes: int) -> int:
        """Give what one model's rows take: the derivatives, and the logits of spans."""
        return sparse_row_bytes(self.shape[0], n_classes)


def sparse_row_bytes(n_rows: int, n_classes: int) -> int:
    """Give the memory that a sparse design takes for the rows of one model."""
    return 8 * n_rows * n_classes


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
    if not len(starts) or not _LEAST_FULL <= (stops - starts).max() <= MOST_DECOMPOSED:
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
