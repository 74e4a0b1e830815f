"""What limited-memory BFGS remembers of many functions, and the direction that follows from it.

The direction is the two-loop recursion (Nocedal 1980; Nocedal & Wright 2006, algorithm 7.4) on
inner products instead of vectors (Chen, Wang & Zhou 2014), the identity scaled by the last pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.blocks import cut
from job.contracts.ports import Spread

Array = npt.NDArray[Any]
_SPAN: Final = 2**16
LARGE: Final = 2**18


def count_pairs(n_values: int) -> int:
    """Say how many steps are remembered; fewer where it is memory that they wait for."""
    return 10 if n_values < LARGE else 6


class Pairs:
    """The last steps s and changes of gradient y, the gradient behind them, and their products.

    Large vectors are worked on span by span, which threads share.
    """

    def __init__(self, gradient: Array, spread: Spread) -> None:
        n_problems, n_values = gradient.shape
        self._n_pairs = count_pairs(n_values)
        n_vectors = 2 * self._n_pairs + 1
        self._vectors = [np.zeros((n_vectors, n_values), gradient.dtype) for _ in gradient]
        self._products = np.zeros((n_problems, n_vectors, n_vectors))
        self._scale = np.ones(n_problems)
        self._n_seen = 0
        self._spread = spread
        self._spans = cut(slice(0, n_values), _SPAN)
        for vectors, values in zip(self._vectors, gradient, strict=True):
            vectors[-1] = values
        self._multiply([-1])

    def keep(self, chosen: Array) -> None:
        """Let go of the other problems."""
        self._vectors = [self._vectors[n] for n in np.flatnonzero(chosen)]
        self._products, self._scale = self._products[chosen], self._scale[chosen]

    def gradient(self, problem: int) -> Array:
        """Give the gradient of the problem at this position."""
        gradient: Array = self._vectors[problem][-1]
        return gradient

    def add(self, s: Array, gradient: Array) -> None:
        """Take a step in for the oldest; one without curvature counts for nothing."""
        slot = self._n_seen % self._n_pairs
        change = self._n_pairs + slot
        self._n_seen += 1

        def fill(n: int, span: slice) -> None:
            vectors = self._vectors[n]
            vectors[slot, span] = s[n, span]
            np.subtract(gradient[n, span], vectors[-1, span], out=vectors[change, span])
            vectors[-1, span] = gradient[n, span]

        self.each(fill)
        self._multiply([slot, change, -1])
        curvature = self._products[:, slot, change]
        length = self._products[:, change, change]
        is_sound = curvature > np.finfo(np.float32).eps * length
        self._scale[is_sound] = curvature[is_sound] / length[is_sound]
        for vector in (slot, change):
            self._products[~is_sound, vector] = 0.0
            self._products[~is_sound, :, vector] = 0.0

    def direction(self) -> tuple[Array, Array]:
        """Give minus the inverse Hessian's estimate times the gradient, and the slope along it."""
        n_pairs, n_seen = self._n_pairs, self._n_seen
        slots = [n % n_pairs for n in range(max(n_seen - n_pairs, 0), n_seen)]
        parts = np.zeros(self._products.shape[:2])
        parts[:, -1] = 1.0
        weights = {}
        for slot in reversed(slots):
            weights[slot] = self._share(slot, parts, slot)
            parts[:, n_pairs + slot] -= weights[slot]
        parts *= self._scale[:, None]
        for slot in slots:
            parts[:, slot] += weights[slot] - self._share(n_pairs + slot, parts, slot)
        first = self._vectors[0]
        found = np.empty((len(parts), first.shape[1]), first.dtype)
        combined = -parts.astype(first.dtype)

        def combine(n: int, span: slice) -> None:
            np.matmul(combined[n], self._vectors[n][:, span], out=found[n, span])

        self.each(combine)
        return found, -np.einsum("pv,pv->p", self._products[:, -1], parts)

    def _share(self, vector: int, parts: Array, slot: int) -> Array:
        curvature = self._products[:, slot, self._n_pairs + slot]
        inner = np.einsum("pv,pv->p", self._products[:, vector], parts)
        np.divide(inner, curvature, out=inner, where=curvature > 0)
        return np.where(curvature > 0, inner, 0.0)

    def _multiply(self, vectors: list[int]) -> None:
        """Renew the products of these vectors with all."""

        def multiply(n: int, span: slice) -> Array:
            # NOTE: BLAS multiplies by one vector at a time faster than by a few together
            some = self._vectors[n][:, span]
            return np.stack([some @ some[vector] for vector in vectors]).astype(np.float64)

        found = np.stack([np.sum(parts, axis=0) for parts in self.each(multiply)])
        self._products[:, vectors] = found
        self._products[:, :, vectors] = found.transpose(0, 2, 1)

    def each(self, function: Callable[[int, slice], Any]) -> list[list[Any]]:
        """Call a function for every span of every problem; give what it gives by problem."""
        every = [(n, span) for n in range(len(self._vectors)) for span in self._spans]
        spread = _in_turn if len(self._spans) == 1 else self._spread
        given = spread(lambda item: function(*item), every)
        width = len(self._spans)
        return [given[start : start + width] for start in range(0, len(given), width)]


def _in_turn(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    return [function(item) for item in items]
