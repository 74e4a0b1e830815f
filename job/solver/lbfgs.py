"""Minimize many smooth convex functions at once by limited-memory BFGS.

The functions are called problems here.  Evaluation takes most of the time, so one call of the
objective evaluates all problems that have not ended.  Each problem has its own memory, step size
and end.  P is the number of problems, and N the number of variables of each problem.

How it works
------------
1. `lbfgs_memory` gives each problem a search direction and its slope.
2. A bisection finds a step size that meets the weak Wolfe conditions (Lewis & Overton 2013,
   algorithm 4.6).  Each step s and its gradient change y then satisfy s' y > 0, as BFGS requires.
3. Losses computed from float32 logits are accurate to about 1e-7 only, and slopes are more
   accurate.  If a step changes the loss by less than 1e-6, only the slope decides whether the step
   is accepted (approximate Wolfe conditions, Hager & Zhang 2005).
4. A problem ends when its stopping error is within the tolerance, when it is out of iterations,
   when no step is found, or after fifty iterations without progress.  It is then removed from the
   arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from job.solver.arrays import Array
from job.solver.lbfgs_memory import LbfgsMemory

# Returns loss (P,), gradient (P, N) and error (P,) at points (P, N) of these problems (P,).
Objective = Callable[[Array, Array], tuple[Array, Array, Array]]
_SUFFICIENT_DECREASE: Final = 1e-4
_WOLFE_SLOPE: Final = 0.9
_LOSS_NOISE: Final = 1e-6
_MIN_LOSS: Final = 0.1  # below it, the noise level is the rounding error of the logits
_MAX_TRIALS: Final = 25
_PATIENCE: Final = 50
_MIN_PROGRESS: Final = 0.9  # an error below this share of the minimum so far counts as progress


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizeResults:
    """The points at which the minimization of P functions of N variables ended.

    Attributes
    ----------
    points
        Final point of each function, shape (P, N).
    errors
        The stopping error that the objective returned at the final points, shape (P,).  It is
        above the tolerance if a function ran out of iterations, found no step, or made no progress
        for fifty iterations.
    n_iter
        Number of iterations, shape (P,).
    """

    points: Array
    errors: Array
    n_iter: Array


def minimize(
    objective: Objective, start: Array, tolerance: float, max_iter: int
) -> OptimizeResults:
    """Minimize P functions of N variables, from the points `start` of shape (P, N).

    A function ends when its error is within `tolerance`, after `max_iter` iterations, or without
    progress.  `start` is overwritten.
    """
    problems = np.arange(len(start))
    state = _State(problems, start, *objective(start, problems))
    results = OptimizeResults(
        points=np.empty_like(start), errors=np.empty(len(start)), n_iter=np.zeros(len(start), int)
    )
    for n in range(max_iter + 1):
        results.n_iter[state.problems] = n
        is_active = (state.error > tolerance) & (n < max_iter) & (state.count_idle() < _PATIENCE)
        state.keep(is_active, results)
        if not len(state.problems):
            break
        state.keep(_line_search(objective, state, *state.memory.direction()), results)
    return results


class _State:
    """The functions that are still being minimized; every array has one row per function."""

    def __init__(
        self,
        problems: Array,
        points: Array,
        loss: Array,
        gradient: Array,
        error: Array,
    ) -> None:
        self.problems, self.points = problems, points
        self.loss, self.error = loss, error
        self.memory = LbfgsMemory(gradient)
        self._n_idle = np.zeros(len(problems), int)
        self._min_loss, self._min_error = loss, error

    def count_idle(self) -> Array:
        """Return the number of iterations since the loss or the error last improved, (P,)."""
        is_lower = self.loss < self._min_loss - _LOSS_NOISE * np.abs(self._min_loss)
        is_lower |= self.error < _MIN_PROGRESS * self._min_error
        self._n_idle = np.where(is_lower, 0, self._n_idle + 1)
        self._min_loss = np.where(is_lower, self.loss, self._min_loss)
        self._min_error = np.where(is_lower, self.error, self._min_error)
        return self._n_idle

    def keep(self, mask: Array, results: OptimizeResults) -> None:
        """Keep the functions where `mask` is true; store the state of all others in `results`."""
        if mask.all():
            return
        ended = self.problems[~mask]
        results.points[ended], results.errors[ended] = self.points[~mask], self.error[~mask]
        for name in (
            "problems",
            "points",
            "loss",
            "error",
            "_n_idle",
            "_min_error",
            "_min_loss",
        ):
            setattr(self, name, getattr(self, name)[mask])
        self.memory.keep(mask)


def _line_search(objective: Objective, state: _State, direction: Array, slope: Array) -> Array:
    """Move each point in `state` along its direction; return whether a step was found.

    `slope` is the inner product of gradient and direction.  Shapes are (P, N) and (P,), for P
    functions of N variables.
    """
    n = len(state.problems)
    low, high, step = np.zeros(n), np.full(n, np.inf), np.ones(n)
    gradient, step_size = np.empty_like(direction), np.zeros(n)
    pending = np.flatnonzero(slope < 0)
    for _ in range(_MAX_TRIALS):
        if not len(pending):
            break
        trial = state.points[pending] + step[pending, None] * direction[pending]
        loss, trial_gradient, error = objective(trial, state.problems[pending])
        start_loss, start_slope = state.loss[pending], slope[pending]
        slopes = _slopes(trial_gradient, direction, pending)
        noise = _LOSS_NOISE * np.maximum(np.abs(start_loss), _MIN_LOSS)
        is_level = (loss <= start_loss + noise) & (slopes <= -_WOLFE_SLOPE * start_slope)
        bound = start_loss + _SUFFICIENT_DECREASE * step[pending] * start_slope
        is_decrease = (loss <= bound) | is_level
        is_accepted = is_decrease & (slopes >= _WOLFE_SLOPE * start_slope)
        accepted = pending[is_accepted]
        gradient[accepted] = trial_gradient[is_accepted]
        state.error[accepted], state.loss[accepted] = error[is_accepted], loss[is_accepted]
        step_size[accepted] = step[accepted]
        high[pending[~is_decrease]] = step[pending[~is_decrease]]
        low[pending[is_decrease]] = step[pending[is_decrease]]
        step = np.where(np.isfinite(high), (low + high) / 2, 2 * low)
        pending = pending[~is_accepted]
    has_moved: Array = step_size > 0
    for stuck in np.flatnonzero(~has_moved).tolist():
        gradient[stuck] = state.memory.gradient(stuck)
    steps = step_size[:, None] * direction
    state.points += steps
    state.memory.add(steps, gradient)
    return has_moved


def _slopes(gradients: Array, directions: Array, problems: Array) -> Array:
    """Return the inner product of gradient and direction for each of `problems`, shape (P,)."""
    return np.array(
        [np.vdot(g, directions[n]) for g, n in zip(gradients, problems, strict=True)], np.float64
    )
