"""A matrix that is full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.ports import ParallelMap
from job.contracts.row_blocks import cut
from job.solver.broadcasting import small_ufunc_buffer
from job.solver.row_spans import STEP, spans_of, sum_of

Array = npt.NDArray[Any]
# Gives the summed loss of each problem, shape (P,), from logits of shape (P, K, n), in C order, and
# the rows they are of; derivatives by the logits take their place.
Residuals = Callable[[Array, slice], Array]
MAX_DECOMPOSED: Final = 1536
_N_BLOCKS: Final = 32
_MAX_ROWS: Final = 4096
_BLOCK_BYTES: Final = 3 * 2**20  # `return_freed_memory` has larger arrays mapped anew each time


class DenseDesign:
    """Rows that are full: both products of a block of them, one after the other.

    Parameters
    ----------
    dtype
        In which blocks are multiplied; that of the matrix where nobody asks.
    """

    def __init__(
        self, X: Array, parallel_map: ParallelMap, dtype: npt.DTypeLike | None = None
    ) -> None:
        self._X, self.parallel_map = X, parallel_map
        self.shape, self.dtype = X.shape, np.dtype(dtype or X.dtype)

    def evaluate(
        self, coefficients: Array, intercepts: Array, residuals: Residuals
    ) -> tuple[Array, Array, Array]:
        """Return losses and gradients, as every design does."""
        n_problems, n_classes, n_features = coefficients.shape
        W = coefficients.reshape(-1, n_features).astype(self.dtype, copy=False)
        b = intercepts.reshape(-1, 1).astype(self.dtype, copy=False)
        size = self._block_rows(len(W))
        ones = np.ones(size, self.dtype)

        @small_ufunc_buffer()
        def work(span: slice) -> tuple[Array, Array, Array]:
            loss = np.zeros(n_problems)
            by_W, by_b = np.zeros_like(W), np.zeros(len(b))
            for rows in cut(span, size):
                block = self._block(rows)
                Z = _logits(W, b, block)
                loss += residuals(Z.reshape(n_problems, n_classes, -1), rows)
                by_W += Z @ block
                by_b += Z @ ones[: Z.shape[1]]
            return loss, by_W, by_b

        parts = self.parallel_map(work, spans_of(self.shape[0], STEP))
        loss, by_W, by_b = (sum_of(part[n] for part in parts) for n in range(3))
        return loss, by_W.reshape(coefficients.shape), by_b.reshape(intercepts.shape)

    @small_ufunc_buffer()
    def sum_some(
        self, coefficients: Array, intercepts: Array, function: Callable[[Array, slice], Array]
    ) -> Array:
        """Sum what a function gives for logits of some blocks, which lie evenly, and their rows."""
        W = coefficients.reshape(-1, self.shape[1]).astype(self.dtype, copy=False)
        b = intercepts.reshape(-1, 1).astype(self.dtype, copy=False)
        blocks = cut(slice(0, self.shape[0]), STEP)
        return sum_of(
            function(_logits(W, b, self._block(rows)).reshape(*intercepts.shape, -1), rows)
            for rows in blocks[:: max(len(blocks) // _N_BLOCKS, 1)]
        )

    def moments(self, weights: Array) -> tuple[Array, Array, Array]:
        """Return moments as every design does, from a sample; of wide matrices no covariance."""
        mean, covariance = sampled_moments(self._X, weights)
        return (
            (mean, np.diag(covariance), covariance)
            if covariance.ndim == 2
            else (mean, covariance, np.eye(0))
        )

    def _block_rows(self, n_logits: int) -> int:
        """Return how many rows to take at once: each block costs about twenty calls."""
        is_cast = self.dtype != self._X.dtype
        width = max(n_logits, self.shape[1]) if is_cast else n_logits
        return min(max(_BLOCK_BYTES // (width * self.dtype.itemsize), STEP), _MAX_ROWS)

    def _block(self, rows: slice) -> Array:
        return self._X[rows].astype(self.dtype, copy=False)


def _logits(W: Array, b: Array, block: Array) -> Array:
    """Return those of a block, shape (R, n); the product is faster this way round for few rows."""
    Z = np.ascontiguousarray((block @ W.T).T)
    Z += b
    return Z


def sampled_moments(X: Array, weights: Array) -> tuple[Array, Array]:
    """Return mean and covariance, of more than 1,536 columns the variance alone, from a sample."""
    # NOTE: they only steer the steps, and a sample of some rows a column steers as well
    n_rows, width = X.shape
    picked = np.arange(0, n_rows, max(n_rows // (32 * max(width, 1)), 1))
    w = (weights[picked] / weights[picked].sum()).astype(X.dtype)
    blocks = cut(slice(0, len(picked)), STEP)
    mean = sum_of(w[rows] @ X[picked[rows]] for rows in blocks)
    is_wide = width > MAX_DECOMPOSED
    parallel_map = np.zeros(width if is_wide else (width, width))
    for rows in blocks:
        part = X[picked[rows]]
        part -= mean
        part *= np.sqrt(w[rows])[:, None]
        parallel_map += (part * part).sum(axis=0) if is_wide else part.T @ part
    return mean, parallel_map
