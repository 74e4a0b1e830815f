"""The memory of limited-memory BFGS for many functions, and their search directions.

How it works
------------
1. Each problem keeps its last ten steps s, its last ten gradient changes y, and its gradient.
2. The search direction is computed by the two-loop recursion (Nocedal 1980; Nocedal & Wright 2006,
   algorithm 7.4), which starts from the identity matrix scaled by the newest pair of s and y.
3. The recursion uses only the inner products of these 21 vectors, and returns 21 weights (Chen,
   Wang & Zhou 2014).  The direction is the weighted sum of the vectors.  So an iteration costs one
   weighted sum, and the inner products of the new vectors with all others.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.solver.arrays import Array

MEMORY_SIZE: Final = 10


class LbfgsMemory:
    """The last steps s and gradient changes y of each problem, and its newest gradient."""

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
        """Drop the problems where the mask is false."""
        self._vectors = self._vectors[mask]
        self._products, self._scale = self._products[mask], self._scale[mask]

    def gradient(self, problem: int) -> Array:
        """Return the newest gradient of the problem at this position."""
        gradient: Array = self._vectors[problem, -1]
        return gradient

    def add(self, s: Array, gradient: Array) -> None:
        """Replace the oldest pair by the step `s` and its gradient change y.

        If s' y is not positive, the new pair is ignored when directions are computed.
        """
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
        """Return the search direction (P, N) and the slope (P,) of P functions of N variables.

        The direction is -H g, where g is the gradient and H estimates the inverse Hessian.  The
        slope is the inner product of g and the direction.
        """
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
        """Return v' c / (s' y) for each function, shape (P,); 0 unless s' y is positive.

        v is the stored vector at position `vector`.  s is the step and y the gradient change at
        position `slot`.  c is the sum of all stored vectors, weighted by `weights`.
        """
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
