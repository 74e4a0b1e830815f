"""A dense matrix: products with chunks of its rows, and moments of its columns.

A problem is one model to be fitted.  P is the number of problems, K the number of logits per
problem (1 for two classes), and D the number of columns of the matrix.

How it works
------------
1. Each thread gets spans of rows, and cuts the spans into chunks whose logits fit into the
   processor's cache.
2. For each chunk, one product computes the logits of all problems.  The loss overwrites the logits
   with its derivatives.  A second product adds these to the gradient.  Each row is read once.
3. The results of the spans are added in order, so the number of threads does not change the result.
4. For double precision, chunks are converted one at a time, so the matrix is not copied.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from job.contracts.ports import ParallelMap
from job.contracts.row_blocks import split_rows
from job.solver.arrays import Array
from job.solver.broadcasting import small_ufunc_buffer
from job.solver.row_spans import STEP, cut_spans, sum_in_order

# Takes logits of shape (P, K, n) in C order and their rows, and returns the summed loss of each
# problem, shape (P,).  Overwrites the logits with the derivatives of the loss by the logits.
Residuals = Callable[[Array, slice], Array]
MAX_DECOMPOSED: Final = 1536
_N_SAMPLED_BLOCKS: Final = 32
_MAX_ROWS: Final = 4096
_BLOCK_BYTES: Final = 3 * 2**20  # with `return_freed_memory`, larger arrays are mapped on each use


class DenseDesign:
    """A dense matrix and the threads that work on it.

    Parameters
    ----------
    dtype
        Precision in which chunks of rows are multiplied; None for the precision of the matrix.
    """

    def __init__(
        self, X: Array, parallel_map: ParallelMap, dtype: npt.DTypeLike | None = None
    ) -> None:
        self._X, self.parallel_map = X, parallel_map
        self.shape, self.dtype = X.shape, np.dtype(dtype or X.dtype)

    def evaluate(
        self, coefficients: Array, intercepts: Array, residuals: Residuals
    ) -> tuple[Array, Array, Array]:
        """Return the losses of P models (P,), and their gradients by coefficients and intercepts.

        The coefficients have shape (P, K, D), for K logits and D columns, the intercepts (P, K).
        `residuals` returns the losses of a chunk of rows, and overwrites the chunk's logits with
        the derivatives of the losses.
        """
        n_problems, n_classes, n_features = coefficients.shape
        W = coefficients.reshape(-1, n_features).astype(self.dtype, copy=False)
        b = intercepts.reshape(-1, 1).astype(self.dtype, copy=False)
        size = self._block_rows(len(W))
        ones = np.ones(size, self.dtype)

        @small_ufunc_buffer()
        def evaluate_span(span: slice) -> tuple[Array, Array, Array]:
            loss = np.zeros(n_problems)
            by_W, by_b = np.zeros_like(W), np.zeros(len(b))
            for rows in split_rows(span, size):
                block = self._block(rows)
                Z = _logits(W, b, block)
                loss += residuals(Z.reshape(n_problems, n_classes, -1), rows)
                by_W += Z @ block
                by_b += Z @ ones[: Z.shape[1]]
            return loss, by_W, by_b

        parts = self.parallel_map(evaluate_span, cut_spans(self.shape[0], STEP))
        loss, by_W, by_b = (sum_in_order(part[n] for part in parts) for n in range(3))
        return loss, by_W.reshape(coefficients.shape), by_b.reshape(intercepts.shape)

    @small_ufunc_buffer()
    def sum_sampled_blocks(
        self, coefficients: Array, intercepts: Array, function: Callable[[Array, slice], Array]
    ) -> Array:
        """Return the sum of `function(logits, rows)` over evenly spaced chunks of rows."""
        W = coefficients.reshape(-1, self.shape[1]).astype(self.dtype, copy=False)
        b = intercepts.reshape(-1, 1).astype(self.dtype, copy=False)
        blocks = split_rows(slice(0, self.shape[0]), STEP)
        return sum_in_order(
            function(_logits(W, b, self._block(rows)).reshape(*intercepts.shape, -1), rows)
            for rows in blocks[:: max(len(blocks) // _N_SAMPLED_BLOCKS, 1)]
        )

    def moments(self, weights: Array) -> tuple[Array, Array, Array]:
        """Return the columns' means (D,), variances (D,) and covariance (D, D), from sampled rows.

        `weights` holds a weight for each row, shape (n_samples,).  The covariance is not computed,
        and has shape (0, 0), if there are more than 1,536 columns.
        """
        mean, covariance = sampled_moments(self._X, weights)
        return (
            (mean, np.diag(covariance), covariance)
            if covariance.ndim == 2
            else (mean, covariance, np.eye(0))
        )

    def _block_rows(self, n_logits: int) -> int:
        """Return the number of rows per chunk, so that a chunk's logits fit into the cache."""
        is_cast = self.dtype != self._X.dtype
        width = max(n_logits, self.shape[1]) if is_cast else n_logits
        return min(max(_BLOCK_BYTES // (width * self.dtype.itemsize), STEP), _MAX_ROWS)

    def _block(self, rows: slice) -> Array:
        return self._X[rows].astype(self.dtype, copy=False)


def _logits(W: Array, b: Array, block: Array) -> Array:
    """Return the logits W X' + b, where `block` is X, with one column for each row of X.

    They are computed as (X W')' + b, which is faster for few rows.
    """
    Z = np.ascontiguousarray((block @ W.T).T)
    Z += b
    return Z


def sampled_moments(X: Array, weights: Array) -> tuple[Array, Array]:
    """Return mean and covariance matrix of sampled rows, both weighted by `weights`.

    For more than 1,536 columns, the variances replace the covariance matrix.
    """
    # NOTE: the moments only scale the steps, so a sample of a few rows per column is enough
    n_rows, width = X.shape
    sample = np.arange(0, n_rows, max(n_rows // (32 * max(width, 1)), 1))
    w = (weights[sample] / weights[sample].sum()).astype(X.dtype)
    blocks = split_rows(slice(0, len(sample)), STEP)
    mean = sum_in_order(w[rows] @ X[sample[rows]] for rows in blocks)
    is_wide = width > MAX_DECOMPOSED
    covariance = np.zeros(width if is_wide else (width, width))
    for rows in blocks:
        part = X[sample[rows]]
        part -= mean
        part *= np.sqrt(w[rows])[:, None]
        covariance += (part * part).sum(axis=0) if is_wide else part.T @ part
    return mean, covariance
