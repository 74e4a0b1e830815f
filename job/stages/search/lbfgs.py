"""Minimise many smooth convex functions at once by limited-memory BFGS.

The functions share their evaluation, which is where the time goes: one call of the objective
evaluates all that are still under way.  Each has its own pairs, its own step and its own end.

The direction is the two-loop recursion (Nocedal 1980; Nocedal & Wright 2006, algorithm 7.4) on
inner products instead of vectors (Chen, Wang & Zhou 2014), the identity scaled by the last pair.
A step is accepted where it meets the weak Wolfe conditions, and is found by bisection (Lewis &
Overton 2013, algorithm 4.6), which keeps the curvature of every pair positive.  Losses that come
from float32 sums are known to some 1e-7 only; the decrease is asked for within that, and the
slope, which is known better, decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.ports import Spread

Array = npt.NDArray[Any]
# Gives loss (P,), gradient (P, N) and error (P,) at points (P, N) of the problems named (P,).
Objective = Callable[[Array, Array], tuple[Array, Array, Array]]
N_PAIRS: Final = 10
_DECREASE: Final = 1e-4
_SLOPE: Final = 0.9
_NOISE: Final = 2e-7
_N_STEPS: Final = 25
_SPAN: Final = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Minima:
    """Where each problem ended.

    Attributes
    ----------
    points
        Shape (P, N).
    errors
        What the objective gave as error there, shape (P,); above the tolerance where a problem
        ran out of iterations or found no step.
    n_iter
        Iterations, shape (P,).
    """

    points: Array
    errors: Array
    n_iter: Array


def minimise(
    objective: Objective, start: Array, tolerance: float, max_iter: int, spread: Spread
) -> Minima:
    """Go down from `start` (P, N) until each problem's error is within the tolerance."""
    problems = np.arange(len(start))
    state = _State(problems, start, *objective(start, problems), spread)
    points, errors, n_iter = start.copy(), state.error.copy(), np.zeros(len(start), int)
    for n in range(max_iter + 1):
        points[state.problems], errors[state.problems] = state.points, state.error
        n_iter[state.problems] = n
        going = state.error > tolerance
        if n == max_iter or not going.any():
            break
        state.keep(going)
        moved = _move(objective, state, *state.pairs.direction())
        state.keep(moved)
    return Minima(points=points, errors=errors, n_iter=n_iter)


class _State:
    """The problems under way: everything has one row a problem."""

    def __init__(
        self,
        problems: Array,
        points: Array,
        loss: Array,
        gradient: Array,
        error: Array,
        spread: Spread,
    ) -> None:
        self.problems, self.points = problems, points
        self.loss, self.error = loss, error
        self.pairs = _Pairs(gradient, spread)

    def keep(self, chosen: Array) -> None:
        """Let go of the other problems."""
        if not chosen.all():
            for name in ("problems", "points", "loss", "error"):
                setattr(self, name, getattr(self, name)[chosen])
            self.pairs.keep(chosen)


class _Pairs:
    """The last steps s and changes of gradient y, the gradient behind them, and their products."""

    def __init__(self, gradient: Array, spread: Spread) -> None:
        n_problems, n_values = gradient.shape
        n_vectors = 2 * N_PAIRS + 1
        self._vectors = np.zeros((n_problems, n_vectors, n_values), gradient.dtype)
        self._products = np.zeros((n_problems, n_vectors, n_vectors))
        self._scale = np.ones(n_problems)
        self._n_seen = 0
        self._spread = spread
        self._spans = [slice(a, a + _SPAN) for a in range(0, n_values, _SPAN)]
        self._vectors[:, -1] = gradient
        self._multiply([-1])

    @property
    def gradient(self) -> Array:
        """The gradient of each problem."""
        return self._vectors[:, -1]

    def keep(self, chosen: Array) -> None:
        """Let go of the other problems."""
        self._vectors = self._vectors[chosen]
        self._products, self._scale = self._products[chosen], self._scale[chosen]

    def add(self, s: Array, gradient: Array) -> None:
        """Take a step in for the oldest; one without curvature counts for nothing."""
        slot = self._n_seen % N_PAIRS
        self._n_seen += 1

        def fill(span: slice) -> None:
            self._vectors[:, slot, span] = s[:, span]
            y = gradient[:, span] - self._vectors[:, -1, span]
            self._vectors[:, N_PAIRS + slot, span] = y
            self._vectors[:, -1, span] = gradient[:, span]

        self._each(fill)
        self._multiply([slot, N_PAIRS + slot, -1])
        curvature = self._products[:, slot, N_PAIRS + slot]
        length = self._products[:, N_PAIRS + slot, N_PAIRS + slot]
        is_sound = curvature > np.finfo(np.float32).eps * length
        self._scale[is_sound] = curvature[is_sound] / length[is_sound]
        for vector in (slot, N_PAIRS + slot):
            self._products[~is_sound, vector] = 0.0
            self._products[~is_sound, :, vector] = 0.0

    def direction(self) -> tuple[Array, Array]:
        """Give minus the inverse Hessian's estimate times the gradient, and the slope along it."""
        slots = [n % N_PAIRS for n in range(max(self._n_seen - N_PAIRS, 0), self._n_seen)]
        parts = np.zeros(self._products.shape[:2])
        parts[:, -1] = 1.0
        weights = {}
        for slot in reversed(slots):
            weights[slot] = self._share(slot, parts, slot)
            parts[:, N_PAIRS + slot] -= weights[slot]
        parts *= self._scale[:, None]
        for slot in slots:
            parts[:, slot] += weights[slot] - self._share(N_PAIRS + slot, parts, slot)
        found = np.empty_like(self._vectors[:, 0])
        combined = -parts[:, None].astype(found.dtype)

        def combine(span: slice) -> None:
            found[:, span] = np.matmul(combined, self._vectors[:, :, span])[:, 0]

        self._each(combine)
        return found, -np.einsum("pv,pv->p", self._products[:, -1], parts)

    def slope(self, gradient: Array, direction: Array) -> Array:
        """Give the products of each problem's gradient and direction."""
        parts = self._each(
            lambda span: np.einsum(
                "pi,pi->p", gradient[:, span], direction[:, span], dtype=np.float64
            )
        )
        return np.asarray(np.sum(parts, axis=0))

    def _share(self, vector: int, parts: Array, slot: int) -> Array:
        curvature = self._products[:, slot, N_PAIRS + slot]
        inner = np.einsum("pv,pv->p", self._products[:, vector], parts)
        np.divide(inner, curvature, out=inner, where=curvature > 0)
        return np.where(curvature > 0, inner, 0.0)

    def _multiply(self, vectors: list[int]) -> None:
        """Renew the products of these vectors with all."""

        def multiply(span: slice) -> Array:
            # NOTE: BLAS multiplies by one vector at a time faster than by a few together
            some = self._vectors[:, :, span]
            products = [np.matmul(some, some[:, vector, :, None])[:, :, 0] for vector in vectors]
            return np.stack(products, axis=1).astype(np.float64)

        found = np.sum(self._each(multiply), axis=0)
        self._products[:, vectors] = found
        self._products[:, :, vectors] = found.transpose(0, 2, 1)

    def _each(self, function: Callable[[slice], Any]) -> list[Any]:
        is_alone = len(self._spans) == 1
        return [function(self._spans[0])] if is_alone else self._spread(function, self._spans)


def _move(objective: Objective, state: _State, direction: Array, slope: Array) -> Array:
    """Move every problem along its direction; say which of them found a step."""
    n = len(state.problems)
    low, high, step = np.zeros(n), np.full(n, np.inf), np.ones(n)
    gradient = state.pairs.gradient.copy()
    taken, moved = np.zeros(n), np.zeros(n, bool)
    pending = np.flatnonzero(slope < 0)
    for _ in range(_N_STEPS):
        if not len(pending):
            break
        along = direction if len(pending) == n else direction[pending]
        points = along * step[pending, None].astype(along.dtype)
        points += state.points if len(pending) == n else state.points[pending]
        loss, by_point, error = objective(points, state.problems[pending])
        bound = state.loss[pending] + _DECREASE * step[pending] * slope[pending]
        is_down = loss <= bound + _NOISE * np.abs(state.loss[pending])
        is_flat = state.pairs.slope(by_point, along) >= _SLOPE * slope[pending]
        accepted = is_down & is_flat
        found = pending[accepted]
        gradient[found], state.error[found] = by_point[accepted], error[accepted]
        state.loss[found], taken[found], moved[found] = loss[accepted], step[found], True
        high[pending[~is_down]] = step[pending[~is_down]]
        low[pending[is_down]] = step[pending[is_down]]
        step = np.where(np.isfinite(high), (low + high) / 2, 2 * low)
        pending = pending[~accepted]
    direction *= taken[:, None].astype(direction.dtype)
    state.points = state.points + direction
    state.pairs.add(direction, gradient)
    return moved
