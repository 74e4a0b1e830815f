"""Fit logistic regressions on a sparse matrix for many C, by Newton's method in order of C.

The objective is that of `objective.py`.  On sparse matrices the curvatures of the classes differ
too much for one basis, and the points are too large for the memory of a quasi-Newton method.

How it works
------------
1. Values of C are fitted in increasing order, so each fit starts near its minimum, where Newton's
   full steps are accepted.  If a C exceeds 10 times the previous one, values between are inserted.
2. The smallest C starts from its warm start; without one, from 0 with decreasing penalties.  Each
   larger C starts from the solution of the previous C.  If both C have warm starts, the difference
   of the two is added to the coefficients of the dense columns.  The sparse columns (rare terms)
   are left out, because there the warm starts fit rows of the previous matrix.
3. Each step solves Newton's equations by preconditioned conjugate gradients (`preconditioner`),
   only as precisely as the step needs (Dembo, Eisenstat & Steihaug 1982; Nocedal & Wright 2006,
   algorithm 7.1).  The Hessian H is not stored.  For a direction d, H d = X' r, where row x_i has
   weight s_i (in total S), class probabilities p_i and

       r_i = s_i (p_i * z_i - p_i (p_i . z_i)) / S,    z_i = d' x_i.
4. The step is halved until the objective decreases.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from job.solver.arrays import Array
from job.solver.losses import logistic_probabilities, softmax_probabilities
from job.solver.preconditioner import precondition
from job.solver.problems import LinearProblems, StopRule, WarmStart
from job.solver.row_spans import LinearFits
from job.solver.sparse_design import SparseDesign

_MAX_C_RATIO: Final = 10.0  # between a C and the C whose solution it starts from
_STRONG_PENALTY: Final = 0.01  # 0 is a good start if the penalty is this share of the curvature
_PATH_SUBOPTIMALITY: Final = 1e-3  # for an intermediate C
_REDUCTION: Final = 0.01  # share of the suboptimality that may remain after a step
_SUFFICIENT_DECREASE: Final = 1e-4
_LOSS_NOISE: Final = 2e-7
_MAX_HALVINGS: Final = 25


def fit_regularization_path(
    design: SparseDesign, problems: LinearProblems, stop: StopRule, start: WarmStart | None
) -> LinearFits:
    """Fit logistic regressions that share the same sample weights, and return the models.

    Parameters
    ----------
    stop
        Limits of iterations (one product with the matrix and one with its transpose) and of the
        suboptimality (estimated by half the squared gradient, scaled by the preconditioner).
    start
        Starting points of the fits; None to start from coefficients of 0.
    """
    problem = _Problem(design, problems.codes, problems.weights[0])
    # NOTE: Python floats keep arrays in single precision, float64 scalars do not
    C = problems.C.tolist()
    order = np.argsort(C, kind="stable").tolist()
    starts = {}
    if start is not None:
        W, b = start.coefficients, start.intercepts
        starts = {n: design.from_coefficients(W[n], b[n]) for n in order}
    on_path = replace(stop, suboptimality=max(stop.suboptimality, _PATH_SUBOPTIMALITY))
    solutions: dict[int, _Solution] = {}
    for previous, n in itertools.pairwise([None, *order]):
        if previous is not None:
            point, path = solutions[previous].point, _intermediate_values(C[previous], C[n])
        elif starts:
            point, path = starts[n], []
        else:
            point = np.zeros((design.shape[1] + 1, problem.n_logits))
            path = problem.warm_up_path(C[n])
        for c in path:
            point = problem.minimize(point, c, on_path).point
        if previous is not None and starts:
            point = design.shift_dense_columns(point, starts[n] - starts[previous])
        solutions[n] = problem.minimize(point, C[n], stop)
    return _collect_fits(design, [solutions[n] for n in range(len(C))])


def _collect_fits(design: SparseDesign, solutions: Sequence[_Solution]) -> LinearFits:
    coefficients = [design.to_coefficients(solution.point) for solution in solutions]
    return LinearFits(
        coefficients=np.stack([W for W, _ in coefficients]),
        intercepts=np.stack([b for _, b in coefficients]),
        errors=np.array([solution.error for solution in solutions]),
        n_iter=np.array([solution.n_iter for solution in solutions]),
    )


def fit_bytes(n_rows: int, n_classes: int, n_values: int, n_models: int) -> int:
    """Return the bytes needed to fit `n_models` models, not counting the matrix."""
    return 16 * n_rows * n_classes + n_values * (64 + 12 * n_models)


def _intermediate_values(low: float, high: float) -> list[float]:
    n_steps = int(np.ceil(np.log(high / low) / np.log(_MAX_C_RATIO) - 1e-9))
    return [float(c) for c in np.geomspace(low, high, n_steps + 1)[1:-1]] if n_steps > 1 else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solution:
    """The final point of a minimization, its stopping error, and the number of iterations."""

    point: Array
    error: float
    n_iter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """A model's loss, gradient (n_columns + 1, n_logits) and probabilities p of the rows."""

    loss: float
    gradient: Array
    p: Array


class _Problem:
    """Minimizes the objective of a logistic regression on one matrix, for any C."""

    def __init__(self, design: SparseDesign, codes: Array, weights: Array) -> None:
        self._design, self._codes = design, codes
        n_classes = int(codes.max()) + 1
        self.n_logits = 1 if n_classes == 2 else n_classes
        self._total = float(weights.sum())
        self._weights = (weights / self._total).astype(design.dtype)[:, None]

    def warm_up_path(self, C: float) -> list[float]:
        """Return increasing values of C, from a strong penalty up to this C."""
        share = np.bincount(self._codes, self._weights[:, 0])[-self.n_logits :]
        squares = self._design.weighted_column_squares(self._weights)[:-1].sum()
        curvature = float((share * (1 - share)).mean() * squares) * self._total
        if curvature * C * _STRONG_PENALTY <= 1:
            return []
        strong = 1 / (_STRONG_PENALTY * curvature)
        return [strong, *_intermediate_values(strong, C)]

    def minimize(self, point: Array, C: float, stop: StopRule) -> _Solution:
        """Minimize the objective for C, starting from `point`."""
        tolerance, suboptimality = stop.tolerance, stop.suboptimality
        penalty = 1.0 / (C * self._total)
        state, n_iter = self._evaluate(point, penalty), 1
        while True:
            h = (state.p - state.p * state.p) * self._weights
            solve = precondition(self._design, h, penalty)
            estimate = 0.5 * float(np.vdot(state.gradient, solve(state.gradient)))
            error = self._design.max_abs_gradient(state.gradient)
            if suboptimality:
                error = min(error, tolerance * float(np.sqrt(max(estimate, 0.0) / suboptimality)))
            if error <= tolerance or n_iter >= stop.max_iter:
                return _Solution(point=point, error=error, n_iter=n_iter)
            target = max(_REDUCTION * estimate, 0.3 * suboptimality)
            direction, n_products = self._newton_step(
                state, solve, penalty, (target, 0.3 * tolerance), stop.max_iter - n_iter
            )
            next_point, next_state, n_trials = self._line_search(point, state, direction, penalty)
            n_iter += n_products + n_trials
            if next_state is None:
                return _Solution(point=point, error=error, n_iter=n_iter)
            point, state = next_point, next_state

    def _evaluate(self, point: Array, penalty: float) -> _State:
        codes, weights = self._codes, self._weights
        p = np.empty((len(codes), self.n_logits), self._design.dtype)
        evaluate = softmax_probabilities if self.n_logits > 1 else logistic_probabilities

        def residuals(Z: Array, rows: slice) -> tuple[float, Array]:
            losses, p[rows] = evaluate(Z, codes[rows])
            R = p[rows].copy()
            if self.n_logits > 1:
                R[np.arange(len(R)), codes[rows]] -= 1
            else:
                R[:, 0] -= codes[rows]
            return float(losses @ weights[rows, 0]), R * weights[rows]

        loss, gradient = self._design.loss_and_gradient(point, residuals)
        W = point[:-1]
        gradient[:-1] += (penalty * W).astype(gradient.dtype)
        return _State(loss=loss + 0.5 * penalty * float(np.vdot(W, W)), gradient=gradient, p=p)

    def _hessian_product(self, p: Array, direction: Array, penalty: float) -> Array:
        """Return the Hessian at the predicted probabilities p, multiplied by `direction`."""

        def residuals(Z: Array, rows: slice) -> tuple[float, Array]:
            p_rows = p[rows]
            Z *= p_rows
            Z -= p_rows * (Z.sum(axis=1, keepdims=True) if self.n_logits > 1 else Z)
            Z *= self._weights[rows]
            return 0.0, Z

        _, product = self._design.loss_and_gradient(direction, residuals)
        product[:-1] += product.dtype.type(penalty) * direction[:-1]
        return product

    def _newton_step(
        self,
        state: _State,
        solve: Callable[[Array], Array],
        penalty: float,
        targets: tuple[float, float],
        max_products: int,
    ) -> tuple[Array, int]:
        """Solve Newton's equations by conjugate gradients; return step and number of products.

        A product is the Hessian times a vector.  The iterations end when the quadratic model of the
        loss is estimated to be within `targets[0]` of its minimum, or all residuals are within
        `targets[1]`.
        """
        x, r = np.zeros_like(state.gradient), -state.gradient
        d = solve(r)
        rz = float(np.vdot(r, d))
        for n in range(max(max_products, 1)):
            Hd = self._hessian_product(state.p, d, penalty)
            curvature = float(np.vdot(d, Hd))
            if curvature <= 0 or rz <= 0:
                break
            length = x.dtype.type(rz / curvature)
            x += length * d
            r -= length * Hd
            z = solve(r)
            next_rz = float(np.vdot(r, z))
            if 0.5 * next_rz <= targets[0] or np.abs(r).max() <= targets[1]:
                return x, n + 1
            d *= x.dtype.type(next_rz / rz)
            d += z
            rz = next_rz
        return x, n + 1

    def _line_search(
        self, point: Array, state: _State, direction: Array, penalty: float
    ) -> tuple[Array, _State | None, int]:
        """Halve the step until the loss decreases, up to rounding errors.

        Return the next point, its state (None if no step helps), and the number of evaluations.
        """
        slope = float(np.vdot(state.gradient, direction))
        for n in range(_MAX_HALVINGS if slope < 0 else 0):
            trial = point + 0.5**n * direction
            trial_state = self._evaluate(trial, penalty)
            bound = state.loss + _SUFFICIENT_DECREASE * 0.5**n * slope
            if trial_state.loss <= bound + _LOSS_NOISE * abs(state.loss):
                return trial, trial_state, n + 1
        return point, None, _MAX_HALVINGS
