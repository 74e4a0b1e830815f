"""Fit in single precision, and continue in double precision where that is not enough.

How it works
------------
1. All models are fitted in the precision of the matrix, which usually is single: it takes half the
   time, and is enough for nearly every model.
2. The models that did not reach their tolerance are fitted on in double precision, from where they
   ended.  Rare classes, large C and strict tolerances need this: their gradients are smaller than
   the last digits of single precision.
3. With `verify_in_double`, gradients are evaluated in double precision before step 2, so that
   rounding errors cannot pass for convergence; single precision then aims at half the tolerance.
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
_SAFETY_FACTOR: Final = 0.5  # on the tolerance of single precision if double verifies the result


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
    weighting_index: Array | None = None,
    own_class_weight: Array | None = None,
    suboptimality: float = 0.0,
    start: tuple[Array, Array] | None = None,
    verify_in_double: bool = False,
) -> LinearFits:
    """Fit one model per value of `C` (P,), with the parameters of `fit_dense_batch`.

    Parameters
    ----------
    weights
        Shape (n_samples,) or (n_weightings, n_samples).
    weighting_index
        None for the first weighting.
    max_iter
        In each precision.
    verify_in_double
        Decide in double precision which models converged.
    """
    weights = np.atleast_2d(weights)
    weighting_index = np.zeros(len(C), int) if weighting_index is None else weighting_index
    X = np.ascontiguousarray(X)

    def fit_in(
        design: DenseDesign, index: Array, initial: tuple[Array, Array] | None, target: float
    ) -> LinearFits:
        return fit_dense_batch(
            design,
            codes,
            weights,
            C[index],
            loss,
            weighting_index=weighting_index[index],
            own_class_weight=own_class_weight,
            tolerance=target,
            max_iter=max_iter,
            suboptimality=suboptimality,
            start=initial,
        )

    problems, double_design = np.arange(len(C)), DenseDesign(X, parallel_map, np.float64)
    if X.dtype == double_design.dtype:
        return fit_in(double_design, problems, start, tolerance)
    target = _SAFETY_FACTOR * tolerance if verify_in_double else tolerance
    single = fit_in(DenseDesign(X, parallel_map), problems, start, target)
    W, b, errors = single.coefficients, single.intercepts, single.errors
    if verify_in_double:
        *_, errors = Objective(
            double_design, codes, weights, C, loss, weighting_index, own_class_weight
        ).evaluate(W, b, problems)
    late = np.flatnonzero(errors > tolerance)  # not NaN: more precision would not help
    if not len(late):
        return LinearFits(coefficients=W, intercepts=b, errors=errors, n_iter=single.n_iter)
    double = fit_in(double_design, late, (W[late].astype(np.float64), b[late]), tolerance)
    W, b, errors, n_iter = W.astype(np.float64), b.astype(np.float64), errors.copy(), single.n_iter
    W[late], b[late], errors[late] = double.coefficients, double.intercepts, double.errors
    n_iter[late] += double.n_iter
    return LinearFits(coefficients=W, intercepts=b, errors=errors, n_iter=n_iter)
