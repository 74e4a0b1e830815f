"""Fit models in single precision; continue in double precision those that do not converge.

How it works
------------
1. All models are fitted in the precision of the matrix, usually single.  Single precision takes
   half the time, and is enough for nearly every model.
2. The models that did not reach their tolerance continue in double precision from where they ended.
   Rare classes, large C and strict tolerances need this: their gradients are smaller than the
   rounding errors of single precision.
3. With `verify_in_double`, gradients are evaluated in double precision before step 2, so that
   rounding errors cannot be mistaken for convergence.  The fit in single precision then uses half
   the tolerance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from job.contracts.ports import ParallelMap
from job.solver.arrays import Array
from job.solver.dense_batch import fit_dense_batch
from job.solver.dense_design import DenseDesign
from job.solver.objective import Objective
from job.solver.problems import LinearProblems, StopRule, WarmStart
from job.solver.row_spans import LinearFits

_SAFETY_FACTOR: Final = 0.5  # factor on the tolerance of single precision with `verify_in_double`


def fit_mixed_precision(
    X: Array,
    problems: LinearProblems,
    stop: StopRule,
    parallel_map: ParallelMap,
    *,
    start: WarmStart | None = None,
    verify_in_double: bool = False,
) -> LinearFits:
    """Fit all problems to a dense matrix, and return the models.

    Parameters
    ----------
    stop
        The stopping rule; `stop.max_iter` applies to each precision separately.
    start
        Starting points of the fits; None to start from coefficients of 0.
    verify_in_double
        Whether gradients in double precision decide which models converged.
    """
    X = np.ascontiguousarray(X)
    double_design = DenseDesign(X, parallel_map, np.float64)
    if X.dtype == double_design.dtype:
        return fit_dense_batch(double_design, problems, stop, start)
    target = _SAFETY_FACTOR * stop.tolerance if verify_in_double else stop.tolerance
    single = fit_dense_batch(
        DenseDesign(X, parallel_map), problems, replace(stop, tolerance=target), start
    )
    if verify_in_double:
        W, b = single.coefficients, single.intercepts
        *_, errors = Objective(double_design, problems).evaluate(W, b, np.arange(len(problems)))
        single = replace(single, errors=errors)
    return _continue_in_double(single, double_design, problems, stop)


def _continue_in_double(
    single: LinearFits, design: DenseDesign, problems: LinearProblems, stop: StopRule
) -> LinearFits:
    """Continue in double precision the fits in `single` whose errors exceed the tolerance."""
    late = np.flatnonzero(single.errors > stop.tolerance)  # not NaN: precision would not help
    if not len(late):
        return single
    W, b = single.coefficients.astype(np.float64), single.intercepts.astype(np.float64)
    start = WarmStart(coefficients=W[late], intercepts=single.intercepts[late])
    double = fit_dense_batch(design, problems.take(late), stop, start)
    errors, n_iter = single.errors.copy(), single.n_iter
    W[late], b[late], errors[late] = double.coefficients, double.intercepts, double.errors
    n_iter[late] += double.n_iter
    return LinearFits(coefficients=W, intercepts=b, errors=errors, n_iter=n_iter)
