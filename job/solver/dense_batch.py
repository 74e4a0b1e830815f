"""Fit linear models for many C at once, on one dense matrix.

The Hessian of F (`objective.py`) is that of the loss plus 1 / (C S).  The softmax loss has the
Hessian (diag(p) - p p') x x', which Böhning (1992) bounds by a constant matrix of the classes times
the Gram matrix of the rows.  Only the diagonal of the bound over the classes is used here, so with
the covariance of the columns V diag(e) V', and the intercept taken at the mean of the rows, the
curvature of class k is about h_k e + 1 / (C S) along each column of V: one decomposition does for
every C.  The minimizer works in the basis u = V' (w scaled by the root of it), where the curvature
is about 1 in every direction.  Wide matrices take the diagonal of the covariance for V = I.  The
squared hinge curves by twice the rows within the margin, which is h_k there.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.solver.dense_design import DenseDesign
from job.solver.lbfgs import OptimizeResults, minimize
from job.solver.lbfgs_memory import MEMORY_SIZE
from job.solver.losses import Loss
from job.solver.objective import Objective
from job.solver.row_spans import LinearFits

Array = npt.NDArray[Any]
_BATCH_BYTES: Final = 384 * 2**20
_N_BEFORE: Final = 8


def fit_dense_batch(
    design: DenseDesign,
    codes: Array,
    weights: Array,
    C: Array,
    loss: Loss,
    *,
    of: Array,
    gains: Array | None,
    tolerance: float,
    max_iter: int,
    suboptimality: float,
    start: tuple[Array, Array] | None,
) -> LinearFits:
    """Fit one model a value of `C`.

    Parameters
    ----------
    codes
        Classes 0...K-1, shape (n_samples,).
    weights
        Shape (n_weightings, n_samples).
    C
        Shape (P,).
    of
        Which of the weightings each model has, shape (P,).
    gains
        What rows count more at the logit of their own class, shape (n_weightings, n_classes).
    tolerance
        A model is done where its loss says so,
    suboptimality
        or where F is so little above its minimum, as half the squared gradient in the even basis
        estimates to a factor of ten.
    start
        Coefficients (P, K, D) and intercepts (P, K) near the minimum, if they are known.
    """
    n_classes = int(codes.max()) + 1
    n_values = n_classes * (design.shape[1] + 1)
    n_batches = -(-len(C) // _count_at_once(n_values))
    parts = []
    for some in np.array_split(np.arange(len(C)), n_batches):
        objective = Objective(design, codes, weights, C[some], loss, of[some], gains)
        batch = _Batch(design, objective, tolerance, suboptimality)
        near = None if start is None else (start[0][some], start[1][some])
        parts.append(batch.fit(max_iter, near))
    return LinearFits(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in LinearFits.__slots__
        }
    )


def batch_bytes(n_models: int, n_values: int) -> int:
    """Return the memory that fitting so many models of so many values takes beside the matrix."""
    return min(n_models, _count_at_once(n_values)) * _model_bytes(n_values)


def _count_at_once(n_values: int) -> int:
    return max(_BATCH_BYTES // _model_bytes(n_values), 1)


def _model_bytes(n_values: int) -> int:
    """Bound a model's pairs and what an evaluation makes of its point."""
    return n_values * 8 * (2 * MEMORY_SIZE + 16)


class _Batch:
    """Models that are fitted side by side, and the basis in which each of them is round."""

    def __init__(
        self, design: DenseDesign, objective: Objective, tolerance: float, suboptimality: float
    ) -> None:
        self._objective, self._dtype = objective, design.dtype
        self._tolerance, self._excess = tolerance, suboptimality
        self._n_rows = objective.n_rows
        mean, parallel_map, covariance = design.moments(objective.row_weights())
        vectors = np.eye(0)
        if len(covariance):
            parallel_map, vectors = np.linalg.eigh(covariance)
        self._vectors = vectors.astype(design.dtype)
        self._mean, self._spread = mean.astype(design.dtype), np.maximum(parallel_map, 0.0)
        self._set_curvature(objective.guess_curvatures())

    def _set_curvature(self, found: Array) -> None:
        """Make the basis for this curvature of each class, shape (P, K)."""
        h, penalty = np.maximum(found, 1e-9), self._objective.penalty
        inner = h[..., None] * self._spread + penalty[:, None, None]
        scale = (1 / np.sqrt(inner)).astype(self._dtype)
        self._scale = scale.reshape(-1, scale.shape[-1])
        of_intercept = h + penalty[:, None] if self._objective.penalizes_intercept else h
        self._intercept_scale = (1 / np.sqrt(of_intercept)).ravel()

    def fit(self, max_iter: int, start: tuple[Array, Array] | None) -> LinearFits:
        """Fit all; the basis is made for the curvature where logits have taken shape."""
        n_problems, n_features = len(self._objective.penalty), len(self._mean)
        n_iter = np.zeros(n_problems, int)
        if start is None:
            points = np.zeros((n_problems, self._n_rows * (n_features + 1)))
            first = self._minimize(points, min(_N_BEFORE, max_iter))
            start, n_iter = self._coefficients(first.points, np.arange(n_problems)), first.n_iter
            if max_iter <= _N_BEFORE or (first.errors <= self._tolerance).all():
                W, b = start
                return LinearFits(coefficients=W, intercepts=b, errors=first.errors, n_iter=n_iter)
        self._set_curvature(self._objective.curvatures(*start))
        rest = self._minimize(self._points(*start), max_iter - int(n_iter.max()))
        W, b = self._coefficients(rest.points, np.arange(n_problems))
        return LinearFits(
            coefficients=W, intercepts=b, errors=rest.errors, n_iter=n_iter + rest.n_iter
        )

    def _minimize(self, points: Array, max_iter: int) -> OptimizeResults:
        return minimize(self._evaluate, points, self._tolerance, max_iter)

    def _coefficients(self, points: Array, problems: Array) -> tuple[Array, Array]:
        """Return the coefficients (P, K, D) and intercepts (P, K) at points of the basis."""
        u, ids = self._rows_of(points, problems)
        part = u[:, 1:].astype(self._dtype)
        part *= self._scale[ids]
        W = np.ascontiguousarray((self._vectors @ part.T).T) if len(self._vectors) else part
        b = u[:, 0] * self._intercept_scale[ids] - W @ self._mean
        return W.reshape(len(points), self._n_rows, -1), b.reshape(len(points), -1)

    def _points(self, W: Array, b: Array) -> Array:
        inner = self._turned(W, self._vectors) / self._scale.reshape(W.shape)
        outer = (b + W @ self._mean) / self._intercept_scale.reshape(b.shape)
        return np.concatenate([outer[..., None], inner], axis=-1, dtype=np.float64).reshape(
            len(W), -1
        )

    def _turned(self, W: Array, vectors: Array) -> Array:
        return W @ vectors if len(vectors) else W

    def _rows_of(self, points: Array, problems: Array) -> tuple[Array, Array]:
        """Return one row for each problem and class, and its position among all of them."""
        ids = problems[:, None] * self._n_rows + np.arange(self._n_rows)
        return points.reshape(ids.size, -1), ids.ravel()

    def _evaluate(self, points: Array, problems: Array) -> tuple[Array, Array, Array]:
        W, b = self._coefficients(points, problems)
        value, by_W, by_b, error = self._objective.evaluate(W, b, problems)
        u, ids = self._rows_of(points, problems)
        g, by_b = by_W.reshape(len(u), -1), by_b.ravel()
        g -= (by_b[:, None] * self._mean).astype(g.dtype)
        gradient = np.empty_like(u)
        gradient[:, 0] = by_b * self._intercept_scale[ids]
        gradient[:, 1:] = self._turned(g, self._vectors) * self._scale[ids]
        gradient = gradient.reshape(len(points), -1)
        if self._excess:
            above = 0.5 * np.einsum("pn,pn->p", gradient, gradient)
            error = np.minimum(error, self._tolerance * np.sqrt(above / self._excess))
        return value, gradient, error
