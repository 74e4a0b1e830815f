"""The memory of limited-memory BFGS for many functions, and their search directions.

How it works
------------
1. Each problem keeps its last ten steps s, its last ten gradient changes y, and its gradient.
2. The search direction is the two-loop recursion (Nocedal 1980; Nocedal & Wright 2006, algorithm
   7.4), starting from the identity scaled by the newest pair.
3. The recursion works on the inner products of these 21 vectors, not on the vectors themselves
   (Chen, Wang & Zhou 2014): it finds the 21 weights whose combination is the direction.  So it
   costs one product with each new vector, and one combination at the end.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.solver.arrays import Array

MEMORY_SIZE: Final = 10


class LbfgsMemory:
    """The last steps s and gradient changes y, the newest gradient, and their inner products."""

    def __init__(self, gradient: Array) -> None:
        n_problems, n_values = gradient.shape
        n_vectors = 2 * MEMORY_SIZE + 1
        self._vectors = np.zeros((n_problems, n_vectors, n_values))
        self._products = np.zeros((n_problems, n_vectors, n_vectors))
        self._scale = np.ones(n_problems)
        self._n_seen = 0
        self._vectors[:, -1] = gradient
        self._update_products([-1])

    def keep(self, mask: Array) -> None:
        """Keep only the problems where the mask is true."""
        self._vectors = self._vectors[mask]
        self._products, self._scale = self._products[mask], self._scale[mask]

    def gradient(self, problem: int) -> Array:
        """Return the newest gradient of the problem at this position."""
        gradient: Array = self._vectors[problem, -1]
        return gradient

    def add(self, s: Array, gradient: Array) -> None:
        """Replace the oldest pair by a step and its gradient change; ignored if s' y <= 0."""
        slot = self._n_seen % MEMORY_SIZE
        change = MEMORY_SIZE + slot
        self._n_seen += 1
        self._vectors[:, slot] = s
        self._vectors[:, change] = gradient - self._vectors[:, -1]
        self._vectors[:, -1] = gradient
        self._update_products([slot, change, -1])
        curvature = self._products[:, slot, change]
        length = self._products[:, change, change]
        has_curvature = curvature > np.finfo(np.float32).eps * length
        self._scale[has_curvature] = curvature[has_curvature] / length[has_curvature]
        for vector in (slot, change):
            self._products[~has_curvature, vector] = 0.0
            self._products[~has_curvature, :, vector] = 0.0

    def direction(self) -> tuple[Array, Array]:
        """Return the search direction -H g (H estimates the inverse Hessian), and its slope."""
        slots = [n % MEMORY_SIZE for n in range(max(self._n_seen - MEMORY_SIZE, 0), self._n_seen)]
        weights = np.zeros(self._products.shape[:2])
        weights[:, -1] = 1.0
        alpha = {}
        for slot in reversed(slots):
            alpha[slot] = self._projection(slot, weights, slot)
            weights[:, MEMORY_SIZE + slot] -= alpha[slot]
        weights *= self._scale[:, None]
        for slot in slots:
            weights[:, slot] += alpha[slot] - self._projection(MEMORY_SIZE + slot, weights, slot)
        direction = -np.matmul(weights[:, None], self._vectors)[:, 0]
        return direction, -np.einsum("pv,pv->p", self._products[:, -1], weights)

    def _projection(self, vector: int, weights: Array, slot: int) -> Array:
        """Return (vector' c) / (s' y): c combines all vectors by `weights`, `slot` is the pair."""
        curvature = self._products[:, slot, MEMORY_SIZE + slot]
        product = np.einsum("pv,pv->p", self._products[:, vector], weights)
        np.divide(product, curvature, out=product, where=curvature > 0)
        return np.where(curvature > 0, product, 0.0)

    def _update_products(self, vectors: list[int]) -> None:
        """Recompute the inner products of the vectors at these positions with all vectors."""
        for vector in vectors:
            products = np.matmul(self._vectors, self._vectors[:, vector, :, None])[..., 0]
            self._products[:, vector] = products
            self._products[:, :, vector] = products
