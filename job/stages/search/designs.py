"""The matrix of a fold, and the two products that an evaluation needs, shared among threads.

Rows are cut into spans that depend on the matrix alone.  Which thread takes which span changes
nothing: what spans give is added in their order.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from scipy import sparse

from job.contracts.ports import Spread

Array = npt.NDArray[Any]
# Gives the summed loss of each problem, shape (P,), and the derivative by each logit,
# shape (P, K, n), from logits of shape (P, K, n) and the rows they are of.
Residuals = Callable[[Array, slice], tuple[Array, Array]]
_N_SPANS: Final = 8
_MOST_DECOMPOSED: Final = 1536
_BLOCK: Final = 512


class Design(Protocol):
    """A matrix of shape (n_samples, n_features) that many linear models are fitted to."""

    shape: tuple[int, int]
    dtype: Any
    spread: Spread

    def evaluate(
        self, coefficients: Array, intercepts: Array, residuals: Residuals
    ) -> tuple[Array, Array, Array]:
        """Give losses (P,) and their gradients by coefficients (P, K, D) and intercepts (P, K)."""

    def sum_rows(
        self, coefficients: Array, intercepts: Array, function: Callable[[Array, slice], Array]
    ) -> Array:
        """Sum what a function gives of logits, shape (P, K, n), and the rows they are of."""

    def moments(self, weights: Array) -> tuple[Array, Array]:
        """Give the mean of the columns (D,), and their covariance (D, D) or variance (D,)."""

    def row_bytes(self, n_classes: int) -> int:
        """Give the memory that evaluating one model takes for the rows."""


def make_design(X: Any, spread: Spread) -> Design:
    """Wrap a dense or a sparse matrix."""
    if sparse.issparse(X):
        return SparseDesign(X.tocsr(), spread)
    return DenseDesign(np.ascontiguousarray(X), spread)


def _spans(n: int, step: int = 1) -> list[slice]:
    n_steps = -(-n // step)
    edges = [step * (k * n_steps // _N_SPANS) for k in range(_N_SPANS + 1)]
    return [slice(a, min(b, n)) for a, b in itertools.pairwise(edges) if a < min(b, n)]


def _blocks(span: slice) -> list[slice]:
    return [slice(a, min(a + _BLOCK, span.stop)) for a in range(span.start, span.stop, _BLOCK)]


def _views(X: Any) -> list[tuple[slice, Any]]:
    """Cut a matrix into spans of rows that share its arrays."""
    parts = []
    for span in _spans(X.shape[0]):
        ends = X.indptr[span.start : span.stop + 1]
        entries = slice(ends[0], ends[-1])
        arrays = (X.data[entries], X.indices[entries], ends - ends[0])
        shape = (span.stop - span.start, X.shape[1])
        parts.append((span, sparse.csr_matrix(arrays, shape=shape, copy=False)))
    return parts


def _sum(parts: Iterable[Array]) -> Array:
    return functools.reduce(operator.add, parts)


class DenseDesign:
    """Rows that are full: both products of a block while it is in the cache."""

    def __init__(self, X: Array, spread: Spread) -> None:
        self._X, self.spread = X, spread
        self.shape, self.dtype = X.shape, X.dtype

    def evaluate(
        self, coefficients: Array, intercepts: Array, residuals: Residuals
    ) -> tuple[Array, Array, Array]:
        """Give losses and gradients, as every design does."""
        n_problems, n_classes, n_features = coefficients.shape
        W = coefficients.reshape(-1, n_features).astype(self.dtype, copy=False)
        b = intercepts.reshape(-1, 1).astype(self.dtype, copy=False)

        def work(span: slice) -> tuple[Array, Array, Array]:
            loss = np.zeros(n_problems)
            by_W, by_b = np.zeros_like(W), np.zeros(len(b))
            for rows in _blocks(span):
                block = self._X[rows]
                Z = W @ block.T
                Z += b
                block_loss, R = residuals(Z.reshape(n_problems, n_classes, -1), rows)
                R = R.reshape(len(W), -1)
                loss += block_loss
                by_W += R @ block
                by_b += R.sum(axis=1)
            return loss, by_W, by_b

        parts = self.spread(work, _spans(self.shape[0], _BLOCK))
        loss, by_W, by_b = (_sum(part[n] for part in parts) for n in range(3))
        return loss, by_W.reshape(coefficients.shape), by_b.reshape(intercepts.shape)

    def sum_rows(
        self, coefficients: Array, intercepts: Array, function: Callable[[Array, slice], Array]
    ) -> Array:
        """Sum what a function gives, as every design does."""
        W = coefficients.reshape(-1, self.shape[1]).astype(self.dtype, copy=False)
        b = intercepts.reshape(-1, 1).astype(self.dtype, copy=False)

        def work(span: slice) -> Array:
            return _sum(
                function((W @ self._X[rows].T + b).reshape(*intercepts.shape, -1), rows)
                for rows in _blocks(span)
            )

        return _sum(self.spread(work, _spans(self.shape[0], _BLOCK)))

    def moments(self, weights: Array) -> tuple[Array, Array]:
        """Give mean and covariance, of wide matrices the variance alone, from a sample."""
        # NOTE: they only steer the steps, and a sample of some rows a column steers as well
        n_rows, width = self.shape
        picked = np.arange(0, n_rows, max(n_rows // (32 * width), 1))
        w = weights[picked] / weights[picked].sum()
        blocks = _blocks(slice(0, len(picked)))
        mean = _sum(w[rows] @ self._X[picked[rows]].astype(np.float64) for rows in blocks)
        is_wide = width > _MOST_DECOMPOSED
        spread = np.zeros(width if is_wide else (width, width))
        for rows in blocks:
            part = (self._X[picked[rows]] - mean) * np.sqrt(w[rows])[:, None]
            spread += (part * part).sum(axis=0) if is_wide else part.T @ part
        return mean, spread

    def row_bytes(self, _n_classes: int) -> int:
        """Give what one model's rows take: blocks alone."""
        return 0


class SparseDesign:
    """Rows with few entries: logits by rows, gradients by columns."""

    def __init__(self, X: sparse.csr_matrix, spread: Spread) -> None:
        self.spread = spread
        self.shape, self.dtype = X.shape, X.dtype
        self._rows = _views(X)
        by_column = X.T.tocsr()
        self._columns = _views(by_column)

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
            rows, X = part
            Z = X @ W
            Z += b
            loss, found = residuals(
                np.ascontiguousarray(Z.T).reshape(n_problems, n_classes, -1), rows
            )
            found = found.reshape(n_columns, -1)
            R[rows] = found.T
            return loss, found.sum(axis=1)

        def backward(part: tuple[slice, Any]) -> None:
            columns, X = part
            G[:, columns] = (X @ R).T

        parts = self.spread(forward, self._rows)
        self.spread(backward, self._columns)
        loss, by_b = (_sum(part[n] for part in parts) for n in range(2))
        return loss, G.reshape(coefficients.shape), by_b.reshape(intercepts.shape)

    def sum_rows(
        self, coefficients: Array, intercepts: Array, function: Callable[[Array, slice], Array]
    ) -> Array:
        """Sum what a function gives, as every design does."""
        W = np.ascontiguousarray(coefficients.reshape(-1, self.shape[1]).T, dtype=self.dtype)
        b = intercepts.reshape(-1).astype(self.dtype, copy=False)

        def work(part: tuple[slice, Any]) -> Array:
            rows, X = part
            Z = np.ascontiguousarray((X @ W + b).T)
            return function(Z.reshape(*intercepts.shape, -1), rows)

        return _sum(self.spread(work, self._rows))

    def moments(self, weights: Array) -> tuple[Array, Array]:
        """Give mean and variance."""
        w = weights / weights.sum()
        mean = _sum(X.T @ w[rows] for rows, X in self._rows)
        square = _sum(X.multiply(X).T @ w[rows] for rows, X in self._rows)
        return mean, np.maximum(square - mean**2, 0.0)

    def row_bytes(self, n_classes: int) -> int:
        """Give what one model's rows take: the derivatives, and the logits of spans."""
        return sparse_row_bytes(self.shape[0], n_classes)


def sparse_row_bytes(n_rows: int, n_classes: int) -> int:
    """Give the memory that a sparse design takes for the rows of one model."""
    return 8 * n_rows * n_classes
