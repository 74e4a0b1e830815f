"""Fit logistic regression on a sparse matrix for many C, by Newton's method along the path of C.

What is minimized is what `objective.py` says for dense matrices.  Here the classes' curvatures
differ too much from each other for one basis, and the points are too large for the memory of a
quasi-Newton method: so steps come from Newton's equations, solved by preconditioned conjugate
gradients as far as they are worth it (Dembo, Eisenstat & Steihaug 1982; Nocedal & Wright 2006,
algorithm 7.1).  The Hessian of the softmax loss times a direction d is that of

    r_i = s_i (p_i * z_i - p_i (p_i . z_i)) / S,    z_i = d' x_i,

which is one product with the matrix and one with its transpose, as a gradient is.
`preconditioner.py` gives the preconditioner.

A larger C starts from the solution of the one before, where Newton's full steps hold.  Where models
of other rows are known, it is moved along the full columns as they were between the two C; sparse
columns are not, where a term of few rows would be moved for rows that are no longer there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.solver.losses import logistic_probabilities, softmax_probabilities
from job.solver.preconditioner import precondition
from job.solver.row_spans import LinearFits
from job.solver.sparse_design import SparseDesign

Array = npt.NDArray[Any]
_STEP: Final = 10.0  # no C starts from one that is more times smaller
_STRONG: Final = 0.01  # a penalty of such a share of the curvature needs no other start than 0
_NEAR: Final = 1e-3  # excess of a C that only leads to others
_SHARE: Final = 0.01  # of a step's excess that it may leave
_DECREASE: Final = 1e-4
_NOISE: Final = 2e-7
_N_HALVINGS: Final = 25


def fit_regularization_path(
    design: SparseDesign,
    codes: Array,
    weights: Array,
    C: Sequence[float],
    *,
    tolerance: float,
    max_iter: int,
    suboptimality: float = 0.0,
    start: tuple[Array, Array] | None = None,
) -> LinearFits:
    """Fit one model a value of `C`; parameters and result are those of `fit_dense_batch`.

    An iteration is a product with the matrix and with its transpose; `suboptimality` is half the
    squared
    gradient as the preconditioner weighs it.
    """
    problem = _Problem(design, codes, weights)
    order = np.argsort(C, kind="stable").tolist()
    near = {}
    if start is not None:
        near = {n: design.from_coefficients(start[0][n], start[1][n]) for n in order}
    found: dict[int, tuple[Array, float, int]] = {}
    for last, n in itertools.pairwise([None, *order]):
        if last is not None:
            point, between = found[last][0], _between(C[last], C[n])
        elif near:
            point, between = near[n], []
        else:
            point = np.zeros((design.shape[1] + 1, problem.n_columns))
            between = problem.warm_up_path(C[n])
        for c in between:
            point, _, _ = problem.minimize(point, c, tolerance, max(suboptimality, _NEAR), max_iter)
        if last is not None and near:
            point = design.shift_dense_columns(point, near[n] - near[last])
        found[n] = problem.minimize(point, C[n], tolerance, suboptimality, max_iter)
    outer = [design.to_coefficients(found[n][0]) for n in range(len(C))]
    return LinearFits(
        coefficients=np.stack([W for W, _ in outer]),
        intercepts=np.stack([b for _, b in outer]),
        errors=np.array([found[n][1] for n in range(len(C))]),
        n_iter=np.array([found[n][2] for n in range(len(C))]),
    )


def fit_bytes(n_rows: int, n_classes: int, n_values: int, n_models: int) -> int:
    """Return the memory that fitting so many models of so many values takes beside the matrix."""
    return 16 * n_rows * n_classes + n_values * (64 + 12 * n_models)


def _between(low: float, high: float) -> list[float]:
    n_steps = int(np.ceil(np.log(high / low) / np.log(_STEP) - 1e-9))
    return [float(c) for c in np.geomspace(low, high, n_steps + 1)[1:-1]] if n_steps > 1 else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The objective at a point: loss, gradient (D + 1, K), and probabilities (n_samples, K)."""

    loss: float
    gradient: Array
    p: Array


class _Problem:
    """The objective of one matrix, for any C."""

    def __init__(self, design: SparseDesign, codes: Array, weights: Array) -> None:
        self._design, self._codes = design, codes
        n_classes = int(codes.max()) + 1
        self.n_columns = 1 if n_classes == 2 else n_classes
        self._total = float(weights.sum())
        self._weights = (weights / self._total).astype(design.dtype)[:, None]

    def warm_up_path(self, C: float) -> list[float]:
        """Return values of C that lead from a strong penalty to this one."""
        share = np.bincount(self._codes, self._weights[:, 0])[-self.n_columns :]
        squares = self._design.weighted_column_squares(self._weights)[:-1].sum()
        curvature = float((share * (1 - share)).mean() * squares) * self._total
        if curvature * C * _STRONG <= 1:
            return []
        strong = 1 / (_STRONG * curvature)
        return [strong, *_between(strong, C)]

    def minimize(
        self, point: Array, C: float, tolerance: float, suboptimality: float, max_iter: int
    ) -> tuple[Array, float, int]:
        """Go from a point to the minimum for C; give point, error and iterations."""
        penalty = 1.0 / (C * self._total)
        state, n_iter = self._evaluate(point, penalty), 1
        while True:
            h = (state.p - state.p * state.p) * self._weights
            solve = precondition(self._design, h, penalty)
            above = 0.5 * float(np.vdot(state.gradient, solve(state.gradient)))
            error = self._design.largest(state.gradient)
            if suboptimality:
                error = min(error, tolerance * float(np.sqrt(max(above, 0.0) / suboptimality)))
            if error <= tolerance or n_iter >= max_iter:
                return point, error, n_iter
            left = max(_SHARE * above, 0.3 * suboptimality)
            direction, n_products = self._newton_step(
                state, solve, penalty, (left, 0.3 * tolerance), max_iter - n_iter
            )
            moved, found, n_tried = self._move(point, state, direction, penalty)
            n_iter += n_products + n_tried
            if found is None:
                return point, error, n_iter
            point, state = moved, found

    def _evaluate(self, point: Array, penalty: float) -> _State:
        codes, weights = self._codes, self._weights
        p = np.empty((len(codes), self.n_columns), self._design.dtype)
        evaluate = softmax_probabilities if self.n_columns > 1 else logistic_probabilities

        def residuals(Z: Array, rows: slice) -> tuple[float, Array]:
            losses, p[rows] = evaluate(Z, codes[rows])
            R = p[rows].copy()
            if self.n_columns > 1:
                R[np.arange(len(R)), codes[rows]] -= 1
            else:
                R[:, 0] -= codes[rows]
            return float(losses @ weights[rows, 0]), R * weights[rows]

        loss, gradient = self._design.loss_and_gradient(point, residuals)
        W = point[:-1]
        gradient[:-1] += (penalty * W).astype(gradient.dtype)
        return _State(loss=loss + 0.5 * penalty * float(np.vdot(W, W)), gradient=gradient, p=p)

    def _curve(self, p: Array, direction: Array, penalty: float) -> Array:
        """Return the Hessian at these probabilities times a direction."""

        def residuals(Z: Array, rows: slice) -> tuple[float, Array]:
            some = p[rows]
            Z *= some
            Z -= some * (Z.sum(axis=1, keepdims=True) if self.n_columns > 1 else Z)
            Z *= self._weights[rows]
            return 0.0, Z

        _, curved = self._design.loss_and_gradient(direction, residuals)
        curved[:-1] += curved.dtype.type(penalty) * direction[:-1]
        return curved

    def _newton_step(
        self,
        state: _State,
        solve: Callable[[Array], Array],
        penalty: float,
        enough: tuple[float, float],
        n_most: int,
    ) -> tuple[Array, int]:
        """Solve Newton's equations until so little of the excess, or of any derivative, is left."""
        x, r = np.zeros_like(state.gradient), -state.gradient
        d = solve(r)
        product = float(np.vdot(r, d))
        for n in range(max(n_most, 1)):
            curved = self._curve(state.p, d, penalty)
            along = float(np.vdot(d, curved))
            if along <= 0 or product <= 0:
                break
            length = x.dtype.type(product / along)
            x += length * d
            r -= length * curved
            z = solve(r)
            renewed = float(np.vdot(r, z))
            if 0.5 * renewed <= enough[0] or np.abs(r).max() <= enough[1]:
                return x, n + 1
            d *= x.dtype.type(renewed / product)
            d += z
            product = renewed
        return x, n + 1

    def _move(
        self, point: Array, state: _State, direction: Array, penalty: float
    ) -> tuple[Array, _State | None, int]:
        """Halve the step until the loss falls; it is known to its last digits only."""
        slope = float(np.vdot(state.gradient, direction))
        for n in range(_N_HALVINGS if slope < 0 else 0):
            moved = point + 0.5**n * direction
            found = self._evaluate(moved, penalty)
            bound = state.loss + _DECREASE * 0.5**n * slope
            if found.loss <= bound + _NOISE * abs(state.loss):
                return moved, found, n + 1
        return point, None, _N_HALVINGS
