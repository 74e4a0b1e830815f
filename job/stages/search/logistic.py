"""Fit logistic regression for many C at once, on one matrix.

What is minimised is what scikit-learn's `LogisticRegression` minimises, in its own scaling:

    F(W, b) = sum_i s_i loss(y_i, W x_i + b) / S  +  |W|^2 / (2 C S),    S = sum_i s_i,

with the softmax loss for K > 2 classes and the logistic loss of one row of W for two.

Its Hessian is that of the loss plus 1 / (C S).  The softmax loss has the Hessian (diag(p) - p p')
x x', which Böhning (1992) bounds by a constant matrix of the classes times the Gram matrix of the
rows.  Only the diagonal of the bound over the classes is used here, so with the covariance of the
columns V diag(e) V', and the intercept taken at the mean of the rows, the curvature of class k is
about h_k e + 1 / (C S) along each column of V: one decomposition does for every C.  The
minimiser works in the basis u = V' (w scaled by the root of it), where the curvature is about 1
in every direction.  Wide and sparse matrices take the diagonal of the covariance for V = I.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from job.stages.search.designs import Design
from job.stages.search.lbfgs import N_PAIRS, Minima, minimise

Array = npt.NDArray[Any]
_BATCH_BYTES: Final = 384 * 2**20
_N_BEFORE: Final = 8
_LARGE: Final = 2**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """The models of one matrix.

    Attributes
    ----------
    coefficients
        Shape (P, K, D); K is 1 for two classes.
    intercepts
        Shape (P, K).
    errors
        Largest absolute derivative of F, shape (P,): scikit-learn's stopping rule.
    n_iter
        Shape (P,).
    """

    coefficients: Array
    intercepts: Array
    errors: Array
    n_iter: Array


def fit_many(
    design: Design,
    codes: Array,
    weights: Array,
    C: Sequence[float],
    *,
    tolerance: float,
    max_iter: int,
    start: tuple[Array, Array] | None = None,
) -> Fits:
    """Fit one model a value of `C`; `codes` are classes 0...K-1, shape (n_samples,).

    `start` gives coefficients (P, K, D) and intercepts (P, K) near the minimum, if they are known.
    """
    n_classes = int(codes.max()) + 1
    n_values = n_classes * (design.shape[1] + 1)
    n_batches = -(-len(C) // _count_at_once(n_values, design.row_bytes(n_classes)))
    parts = []
    for some in np.array_split(np.arange(len(C)), n_batches):
        batch = _Batch(design, codes, weights, np.asarray(C, np.float64)[some])
        near = None if start is None else (start[0][some], start[1][some])
        parts.append(batch.fit(tolerance, max_iter, near))
    return Fits(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in Fits.__slots__}
    )


def batch_bytes(n_models: int, n_values: int, row_bytes: int) -> int:
    """Give the memory that fitting so many models of so many values takes beside the matrix."""
    n_at_once = min(n_models, _count_at_once(n_values, row_bytes))
    return n_at_once * (_model_bytes(n_values) + row_bytes)


def _count_at_once(n_values: int, row_bytes: int) -> int:
    return max(_BATCH_BYTES // (_model_bytes(n_values) + row_bytes), 1)


def _model_bytes(n_values: int) -> int:
    """Bound a model's pairs and what an evaluation makes of its point."""
    return n_values * (8 if n_values < _LARGE else 4) * (2 * N_PAIRS + 16)


class _Batch:
    """Models that are fitted side by side, and the basis in which each of them is round."""

    def __init__(self, design: Design, codes: Array, weights: Array, C: Array) -> None:
        self._design, self._codes = design, codes
        n_classes = int(codes.max()) + 1
        self._n_rows = 1 if n_classes == 2 else n_classes
        self._weights = (weights / weights.sum()).astype(design.dtype)
        self._penalty = 1.0 / (C * weights.sum())
        mean, spread = design.moments(weights)
        self._vectors = None
        if spread.ndim == 2:
            spread, vectors = np.linalg.eigh(spread)
            self._vectors = vectors.astype(design.dtype)
        self._mean, self._spread = mean.astype(design.dtype), np.maximum(spread, 0.0)
        share = np.bincount(codes, weights, n_classes)[-self._n_rows :] / weights.sum()
        self._set_curvature(np.tile(share * (1 - share), (len(C), 1)))

    def _set_curvature(self, curvature: Array) -> None:
        """Make the basis for this curvature of each class, shape (P, K)."""
        h = np.maximum(curvature, 1e-9)
        inner = h[..., None] * self._spread + self._penalty[:, None, None]
        self._scale = (1 / np.sqrt(inner)).astype(self._design.dtype)
        self._intercept_scale = 1 / np.sqrt(h)

    def fit(self, tolerance: float, max_iter: int, start: tuple[Array, Array] | None) -> Fits:
        """Fit all; the basis is made for the curvature where probabilities have taken shape."""
        n_problems, n_features = len(self._penalty), self._design.shape[1]
        # NOTE: float64 where it costs nothing; large ones are bound by the memory they read
        n_values = self._n_rows * (n_features + 1)
        dtype = np.float64 if n_values < _LARGE else self._design.dtype
        n_iter = np.zeros(n_problems, int)
        if start is None:
            points = np.zeros((n_problems, n_values), dtype)
            first = self._minimise(points, tolerance, min(_N_BEFORE, max_iter))
            start, n_iter = self._coefficients(first.points, np.arange(n_problems)), first.n_iter
            if max_iter <= _N_BEFORE or (first.errors <= tolerance).all():
                W, b = start
                return Fits(coefficients=W, intercepts=b, errors=first.errors, n_iter=n_iter)
        self._set_curvature(self._design.sum_rows(*start, self._curvatures))
        points = self._points(*start).astype(dtype)
        rest = self._minimise(points, tolerance, max_iter - int(n_iter.max()))
        W, b = self._coefficients(rest.points, np.arange(n_problems))
        return Fits(coefficients=W, intercepts=b, errors=rest.errors, n_iter=n_iter + rest.n_iter)

    def _minimise(self, points: Array, tolerance: float, max_iter: int) -> Minima:
        return minimise(self._evaluate, points, tolerance, max_iter, self._design.spread)

    def _coefficients(self, points: Array, problems: Array) -> tuple[Array, Array]:
        u = points.reshape(len(points), self._n_rows, -1)
        W = u[..., 1:].astype(self._design.dtype)
        W *= self._scale[problems]
        if self._vectors is not None:
            W = W @ self._vectors.T
        return W, u[..., 0] * self._intercept_scale[problems] - W @ self._mean

    def _points(self, W: Array, b: Array) -> Array:
        inner = (W if self._vectors is None else W @ self._vectors) / self._scale
        outer = (b + W @ self._mean) / self._intercept_scale
        return np.concatenate([outer[..., None], inner], axis=-1).reshape(len(W), -1)

    def _evaluate(self, points: Array, problems: Array) -> tuple[Array, Array, Array]:
        W, b = self._coefficients(points, problems)
        loss, by_W, by_b = self._design.evaluate(W, b, self._residuals)
        penalty = self._penalty[problems]
        squares = np.matmul(W[..., None, :], W[..., None])[..., 0, 0]
        loss = loss + 0.5 * penalty * squares.sum(axis=1, dtype=np.float64)
        W *= penalty[:, None, None].astype(W.dtype)
        by_W += W
        largest = np.maximum(by_W.max(axis=(1, 2)), -by_W.min(axis=(1, 2)))
        error = np.maximum(largest, np.abs(by_b).max(axis=1))
        by_W -= np.multiply(by_b[..., None], self._mean, out=W, casting="same_kind")
        inner = by_W if self._vectors is None else by_W @ self._vectors
        inner *= self._scale[problems]
        gradient = np.empty((len(points), self._n_rows, inner.shape[-1] + 1), points.dtype)
        gradient[..., 0] = by_b * self._intercept_scale[problems]
        gradient[..., 1:] = inner
        return loss, gradient.reshape(len(points), -1), error

    def _residuals(self, Z: Array, rows: slice) -> tuple[Array, Array]:
        residuals = _logistic if self._n_rows == 1 else _softmax
        return residuals(Z, self._codes[rows], self._weights[rows])

    def _curvatures(self, Z: Array, rows: slice) -> Array:
        p = expit(Z) if self._n_rows == 1 else softmax(Z, axis=1)
        found: Array = (p - p * p) @ self._weights[rows]
        return found.astype(np.float64)


def _softmax(Z: Array, y: Array, s: Array) -> tuple[Array, Array]:
    each = np.arange(len(y))
    Z -= Z.max(axis=1, keepdims=True)
    at_y = Z[:, y, each]
    np.exp(Z, out=Z)
    total = Z.sum(axis=1)
    loss = (np.log(total) - at_y) @ s
    Z *= (s / total)[:, None, :]
    Z[:, y, each] -= s
    return loss.astype(np.float64), Z


def _logistic(Z: Array, y: Array, s: Array) -> tuple[Array, Array]:
    sign = np.where(y == 1, Z.dtype.type(1), Z.dtype.type(-1))
    loss = np.logaddexp(0, -sign * Z[:, 0]) @ s
    return loss.astype(np.float64), (expit(Z) - (y == 1)) * s
