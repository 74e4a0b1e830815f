"""Approximate the inverse of a Hessian that is too large to be inverted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.solver.sparse_design import SparseDesign

Array = npt.NDArray[Any]
_N_AXES: Final = 64
_N_DRAWN: Final = 512


def precondition(design: SparseDesign, h: Array, penalty: float) -> Callable[[Array], Array]:
    """Invert what is left of the Hessian without what couples classes.

    That is its diagonal, but for the widest axes of full columns and the intercept the block of
    each class, from a sample of rows.

    Parameters
    ----------
    h
        Curvature of the loss by the logits, shape (n_samples, K).
    """
    diagonal = design.weighted_column_squares(h)
    diagonal[:-1] += diagonal.dtype.type(penalty)
    np.maximum(diagonal, np.finfo(diagonal.dtype).tiny, out=diagonal)
    axes = design.axes[:, :_N_AXES]
    first = design.full.start
    block = np.append(np.arange(first, first + axes.shape[1]), len(diagonal) - 1)

    def invert(k: int) -> Array:
        return np.linalg.inv(_block(axes, h[:, k].astype(np.float64), penalty))

    inverses = np.stack(design.parallel_map(invert, range(h.shape[1]))).astype(diagonal.dtype)

    def solve(vector: Array) -> Array:
        found: Array = vector / diagonal
        found[block] = np.matmul(inverses, vector[block].T[..., None])[..., 0].T
        return found

    return solve


def _block(axes: Array, h: Array, penalty: float) -> Array:
    """Return the Hessian of one class along axes and intercept, from rows drawn by their part."""
    n_rows = len(axes)
    if n_rows <= _N_DRAWN:
        rows, weights = np.arange(n_rows), h
    else:
        reached = np.cumsum(h)
        at = (np.arange(_N_DRAWN) + 0.5) / _N_DRAWN * reached[-1]
        rows = np.minimum(np.searchsorted(reached, at), n_rows - 1)
        weights = np.full(_N_DRAWN, reached[-1] / _N_DRAWN)
    some = np.column_stack([axes[rows], np.ones(len(rows))])
    found: Array = (some * weights[:, None]).T @ some
    found[np.diag_indices(len(found))] += np.append(np.full(axes.shape[1], penalty), 1e-9)
    return found
