"""What limited-memory BFGS remembers of many functions, and the direction that follows from it.

The direction is the two-loop recursion (Nocedal 1980; Nocedal & Wright 2006, algorithm 7.4) on
inner products instead of vectors (Chen, Wang & Zhou 2014), the identity scaled by the last pair.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
MEMORY_SIZE: Final = 10


class LbfgsMemory:
    """The last steps s and changes of gradient y, the gradient behind them, and their products."""

    def __init__(self, gradient: Array) -> None:
        n_problems, n_values = gradient.shape
        n_vectors = 2 * MEMORY_SIZE + 1
        self._vectors = np.zeros((n_problems, n_vectors, n_values))
        self._products = np.zeros((n_problems, n_vectors, n_vectors))
        self._scale = np.ones(n_problems)
        self._n_seen = 0
        self._vectors[:, -1] = gradient
        self._multiply([-1])

    def keep(self, chosen: Array) -> None:
        """Let go of the other problems."""
        self._vectors = self._vectors[chosen]
        self._products, self._scale = self._products[chosen], self._scale[chosen]

    def gradient(self, problem: int) -> Array:
        """Return the gradient of the problem at this position."""
        gradient: Array = self._vectors[problem, -1]
        return gradient

    def add(self, s: Array, gradient: Array) -> None:
        """Take a step in for the oldest; one without curvature counts for nothing."""
        slot = self._n_seen % MEMORY_SIZE
        change = MEMORY_SIZE + slot
        self._n_seen += 1
        self._vectors[:, slot] = s
        self._vectors[:, change] = gradient - self._vectors[:, -1]
        self._vectors[:, -1] = gradient
        self._multiply([slot, change, -1])
        curvature = self._products[:, slot, change]
        length = self._products[:, change, change]
        is_sound = curvature > np.finfo(np.float32).eps * length
        self._scale[is_sound] = curvature[is_sound] / length[is_sound]
        for vector in (slot, change):
            self._products[~is_sound, vector] = 0.0
            self._products[~is_sound, :, vector] = 0.0

    def direction(self) -> tuple[Array, Array]:
        """Return the search direction -H g (H estimates the inverse Hessian), and its slope."""
        slots = [n % MEMORY_SIZE for n in range(max(self._n_seen - MEMORY_SIZE, 0), self._n_seen)]
        parts = np.zeros(self._products.shape[:2])
        parts[:, -1] = 1.0
        weights = {}
        for slot in reversed(slots):
            weights[slot] = self._share(slot, parts, slot)
            parts[:, MEMORY_SIZE + slot] -= weights[slot]
        parts *= self._scale[:, None]
        for slot in slots:
            parts[:, slot] += weights[slot] - self._share(MEMORY_SIZE + slot, parts, slot)
        found = -np.matmul(parts[:, None], self._vectors)[:, 0]
        return found, -np.einsum("pv,pv->p", self._products[:, -1], parts)

    def _share(self, vector: int, parts: Array, slot: int) -> Array:
        curvature = self._products[:, slot, MEMORY_SIZE + slot]
        inner = np.einsum("pv,pv->p", self._products[:, vector], parts)
        np.divide(inner, curvature, out=inner, where=curvature > 0)
        return np.where(curvature > 0, inner, 0.0)

    def _multiply(self, vectors: list[int]) -> None:
        """Renew the products of these vectors with all."""
        for vector in vectors:
            found = np.matmul(self._vectors, self._vectors[:, vector, :, None])[..., 0]
            self._products[:, vector] = found
            self._products[:, :, vector] = found
