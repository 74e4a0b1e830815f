"""An approximate inverse of the Hessian of logistic regressions on a sparse matrix.

How it works
------------
1. The Hessian has a row for each pair of column and class, and is too large to store.  Entries
   between different classes are ignored, so each class has its own matrix.
2. The diagonal of this matrix is exact.  Off the diagonal, only the largest entries are kept.
3. These are the entries for pairs among the intercept and the first principal axes of the dense
   columns.  They form a block, which is estimated from sampled rows and inverted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from job.solver.arrays import Array
from job.solver.sparse_design import SparseDesign

_N_AXES: Final = 64
_N_SAMPLED: Final = 512


def precondition(design: SparseDesign, h: Array, penalty: float) -> Callable[[Array], Array]:
    """Return a function that multiplies its argument by the approximate inverse Hessian.

    The argument has shape (D + 1, K): the coefficients of D columns and, last, the intercept, for
    each of K logits.

    Parameters
    ----------
    h
        Second derivatives of each row's loss by its K logits, shape (n_samples, K).
    penalty
        Second derivative of the penalty by each coefficient.
    """
    diagonal = design.weighted_column_squares(h)
    diagonal[:-1] += diagonal.dtype.type(penalty)
    np.maximum(diagonal, np.finfo(diagonal.dtype).tiny, out=diagonal)
    axes = design.axes[:, :_N_AXES]
    first = design.dense_columns.start
    block = np.append(np.arange(first, first + axes.shape[1]), len(diagonal) - 1)

    def invert(k: int) -> Array:
        return np.linalg.inv(_class_block(axes, h[:, k].astype(np.float64), penalty))

    inverses = np.stack(design.parallel_map(invert, range(h.shape[1]))).astype(diagonal.dtype)

    def solve(vector: Array) -> Array:
        solution: Array = vector / diagonal
        solution[block] = np.matmul(inverses, vector[block].T[..., None])[..., 0].T
        return solution

    return solve


def _class_block(axes: Array, h: Array, penalty: float) -> Array:
    """Return one class's Hessian for the principal axes and the intercept, from sampled rows.

    h holds the second derivative of each row's loss.  Rows are sampled in proportion to h, at even
    steps of the cumulative sum of h.
    """
    n_rows = len(axes)
    if n_rows <= _N_SAMPLED:
        rows, weights = np.arange(n_rows), h
    else:
        cumulative = np.cumsum(h)
        targets = (np.arange(_N_SAMPLED) + 0.5) / _N_SAMPLED * cumulative[-1]
        rows = np.minimum(np.searchsorted(cumulative, targets), n_rows - 1)
        weights = np.full(_N_SAMPLED, cumulative[-1] / _N_SAMPLED)
    columns = np.column_stack([axes[rows], np.ones(len(rows))])
    hessian: Array = (columns * weights[:, None]).T @ columns
    hessian[np.diag_indices(len(hessian))] += np.append(np.full(axes.shape[1], penalty), 1e-9)
    return hessian
