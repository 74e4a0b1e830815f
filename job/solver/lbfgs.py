"""Minimize many smooth convex functions at once by limited-memory BFGS.

The functions share their evaluation, which is where the time goes: one call of the objective
evaluates all that are still under way.  Each has its own pairs, its own step and its own end.

`pairs.py` gives the direction.
A step is accepted where it meets the weak Wolfe conditions, and is found by bisection (Lewis &
Overton 2013, algorithm 4.6), which keeps the curvature of every pair positive.  Losses that come
from float32 logits are known to some 1e-7 only; where they tell nothing the slope, which is known
better, decides (the approximate Wolfe conditions of Hager & Zhang 2005).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.solver.lbfgs_memory import LbfgsMemory

Array = npt.NDArray[Any]
# Gives loss (P,), gradient (P, N) and error (P,) at points (P, N) of the problems named (P,).
Objective = Callable[[Array, Array], tuple[Array, Array, Array]]
_DECREASE: Final = 1e-4
_SLOPE: Final = 0.9
_NOISE: Final = 1e-6
_MIN_LOSS: Final = 0.1  # of smaller ones the logits' last digits are more than the noise
_N_STEPS: Final = 25
_PATIENCE: Final = 50
_LESS_ERROR: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizeResults:
    """Where each problem ended.

    Attributes
    ----------
    points
        Shape (P, N).
    errors
        What the objective gave as error there, shape (P,); above the tolerance where a problem
        ran out of iterations, found no step, or came no further for fifty iterations.
    n_iter
        Iterations, shape (P,).
    """

    points: Array
    errors: Array
    n_iter: Array


def minimize(
    objective: Objective, start: Array, tolerance: float, max_iter: int
) -> OptimizeResults:
    """Go down from `start` (P, N), which is overwritten, until each error is within tolerance."""
    problems = np.arange(len(start))
    state = _State(problems, start, *objective(start, problems))
    found = OptimizeResults(
        points=np.empty_like(start), errors=np.empty(len(start)), n_iter=np.zeros(len(start), int)
    )
    for n in range(max_iter + 1):
        found.n_iter[state.problems] = n
        is_going = (state.error > tolerance) & (n < max_iter) & (state.count_idle() < _PATIENCE)
        state.keep(is_going, found)
        if not len(state.problems):
            break
        state.keep(_move(objective, state, *state.pairs.direction()), found)
    return found


class _State:
    """The problems under way: everything has one row a problem."""

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
        self.pairs = LbfgsMemory(gradient)
        self._n_idle = np.zeros(len(problems), int)
        self._least_loss, self._least_error = loss, error

    def count_idle(self) -> Array:
        """Return the number of iterations without much progress in loss or error, shape (P,)."""
        is_lower = self.loss < self._least_loss - _NOISE * np.abs(self._least_loss)
        is_lower |= self.error < _LESS_ERROR * self._least_error
        self._n_idle = np.where(is_lower, 0, self._n_idle + 1)
        self._least_loss = np.where(is_lower, self.loss, self._least_loss)
        self._least_error = np.where(is_lower, self.error, self._least_error)
        return self._n_idle

    def keep(self, chosen: Array, found: OptimizeResults) -> None:
        """Let go of the other problems, which end where they are."""
        if chosen.all():
            return
        ended = self.problems[~chosen]
        found.points[ended], found.errors[ended] = self.points[~chosen], self.error[~chosen]
        for name in (
            "problems",
            "points",
            "loss",
            "error",
            "_n_idle",
            "_least_error",
            "_least_loss",
        ):
            setattr(self, name, getattr(self, name)[chosen])
        self.pairs.keep(chosen)


def _move(objective: Objective, state: _State, direction: Array, slope: Array) -> Array:
    """Move every problem along its direction; say which of them found a step."""
    n = len(state.problems)
    low, high, step = np.zeros(n), np.full(n, np.inf), np.ones(n)
    gradient, taken = np.empty_like(direction), np.zeros(n)
    pending = np.flatnonzero(slope < 0)
    for _ in range(_N_STEPS):
        if not len(pending):
            break
        tried = state.points[pending] + step[pending, None] * direction[pending]
        loss, by_point, error = objective(tried, state.problems[pending])
        before, falling = state.loss[pending], slope[pending]
        slopes = _slopes(by_point, direction, pending)
        noise = _NOISE * np.maximum(np.abs(before), _MIN_LOSS)
        is_level = (loss <= before + noise) & (slopes <= -_SLOPE * falling)
        is_down = (loss <= before + _DECREASE * step[pending] * falling) | is_level
        accepted = is_down & (slopes >= _SLOPE * falling)
        found = pending[accepted]
        gradient[found] = by_point[accepted]
        state.error[found], state.loss[found] = error[accepted], loss[accepted]
        taken[found] = step[found]
        high[pending[~is_down]] = step[pending[~is_down]]
        low[pending[is_down]] = step[pending[is_down]]
        step = np.where(np.isfinite(high), (low + high) / 2, 2 * low)
        pending = pending[~accepted]
    moved: Array = taken > 0
    for stuck in np.flatnonzero(~moved).tolist():
        gradient[stuck] = state.pairs.gradient(stuck)
    moves = taken[:, None] * direction
    state.points += moves
    state.pairs.add(moves, gradient)
    return moved


def _slopes(gradients: Array, directions: Array, problems: Array) -> Array:
    """Return the products of each problem's gradient and direction."""
    return np.array(
        [np.vdot(g, directions[n]) for g, n in zip(gradients, problems, strict=True)], np.float64
    )
