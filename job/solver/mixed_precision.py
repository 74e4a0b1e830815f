"""Fit in single precision, and go on in double with what doesn't come to its end there.

Single precision takes half the time, and is enough for nearly every model.  Rare classes, large C
and strict tolerances ask for gradients that are smaller than its last digits.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.ports import ParallelMap
from job.solver.dense_batch import fit_dense_batch
from job.solver.dense_design import DenseDesign
from job.solver.losses import Loss
from job.solver.objective import Objective
from job.solver.row_spans import LinearFits

Array = npt.NDArray[Any]
_SAFE: Final = 0.5  # of the tolerance is where single precision ends if double judges it


def fit_mixed_precision(
    X: Array,
    codes: Array,
    weights: Array,
    C: Array,
    loss: Loss,
    parallel_map: ParallelMap,
    *,
    tolerance: float,
    max_iter: int,
    of: Array | None = None,
    gains: Array | None = None,
    suboptimality: float = 0.0,
    start: tuple[Array, Array] | None = None,
    is_judged: bool = False,
) -> LinearFits:
    """Fit one model a value of `C` (P,), as `fit_dense_batch` does.

    Parameters
    ----------
    weights
        Shape (n_samples,), or (n_weightings, n_samples).
    of
        None for the first of the weightings.
    max_iter
        In each precision.
    is_judged
        Double precision says which models are done, whatever single says.
    """
    weights = np.atleast_2d(weights)
    of = np.zeros(len(C), int) if of is None else of
    X = np.ascontiguousarray(X)

    def fit_in(
        design: DenseDesign, some: Array, near: tuple[Array, Array] | None, end: float
    ) -> LinearFits:
        return fit_dense_batch(
            design,
            codes,
            weights,
            C[some],
            loss,
            of=of[some],
            gains=gains,
            tolerance=end,
            max_iter=max_iter,
            suboptimality=suboptimality,
            start=near,
        )

    every, exact = np.arange(len(C)), DenseDesign(X, parallel_map, np.float64)
    if X.dtype == exact.dtype:
        return fit_in(exact, every, start, tolerance)
    end = _SAFE * tolerance if is_judged else tolerance
    single = fit_in(DenseDesign(X, parallel_map), every, start, end)
    W, b, errors = single.coefficients, single.intercepts, single.errors
    if is_judged:
        *_, errors = Objective(exact, codes, weights, C, loss, of, gains).evaluate(W, b, every)
    late = np.flatnonzero(errors > tolerance)  # not NaN, which no precision mends
    if not len(late):
        return LinearFits(coefficients=W, intercepts=b, errors=errors, n_iter=single.n_iter)
    double = fit_in(exact, late, (W[late].astype(np.float64), b[late]), tolerance)
    W, b, errors, n_iter = W.astype(np.float64), b.astype(np.float64), errors.copy(), single.n_iter
    W[late], b[late], errors[late] = double.coefficients, double.intercepts, double.errors
    n_iter[late] += double.n_iter
    return LinearFits(coefficients=W, intercepts=b, errors=errors, n_iter=n_iter)
