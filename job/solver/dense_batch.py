"""Fit linear models for many C at once on one dense matrix.

A problem is one model to be fitted.  P is the number of problems, K the number of logits per
problem (1 for two classes), and D the number of columns of the matrix.

How it works
------------
1. L-BFGS (`lbfgs`) minimizes all problems together.  Each pass over the rows, in chunks
   (`dense_design`), evaluates the objective F of every problem.  `objective` defines F, and its
   parameters C (inverse regularization strength) and S (sum of the sample weights).
2. L-BFGS works in a basis u in which the Hessian of every problem is close to the identity.  The
   Hessian of F is that of the loss plus 1 / (C S) on the diagonal.  For a row x with the predicted
   probabilities p, the Hessian of the softmax loss is the Kronecker product of diag(p) - p p' and
   x x' (Böhning 1992).  Here, only the diagonal of the first factor is used.  Its entry for class
   k, averaged over the rows, is the curvature h_k.
3. Let V diag(e) V' be the covariance of the columns.  If the intercept is taken at the mean of the
   rows, the curvature of F is about h_k e + 1 / (C S) along each column of V.  So the basis is
   u = sqrt(h_k e + 1 / (C S)) * V' w for the coefficients w, and one eigendecomposition serves
   every C and class.  Wide matrices use the variances of the columns, with V = I.
4. h_k is first guessed from the class shares.  After eight iterations, it is estimated from the
   predicted probabilities.  A warm start needs no guess.  For the squared hinge, h_k is twice the
   share of the rows within the margin.
5. A problem ends when its gradient is within the tolerance, or when F is estimated to be close
   enough to its minimum.  The estimate is half the squared gradient in the basis u.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.solver.arrays import Array
from job.solver.dense_design import DenseDesign
from job.solver.lbfgs import OptimizeResults, minimize
from job.solver.lbfgs_memory import MEMORY_SIZE
from job.solver.objective import Objective
from job.solver.problems import LinearProblems, StopRule, WarmStart
from job.solver.row_spans import LinearFits

_BATCH_BYTES: Final = 384 * 2**20
_N_FIRST_ITERATIONS: Final = 8


def fit_dense_batch(
    design: DenseDesign, problems: LinearProblems, stop: StopRule, start: WarmStart | None
) -> LinearFits:
    """Fit all problems, in batches that fit into memory, and return the models.

    Parameters
    ----------
    stop
        The stopping rule.  `stop.suboptimality` is compared with an estimate of how far the
        objective is above its minimum.  The estimate is right within a factor of 10.
    start
        Starting points of the fits; None to start from coefficients of 0.
    """
    n_values = problems.n_classes * (design.shape[1] + 1)
    n_batches = -(-len(problems) // _max_batch_size(n_values))
    parts = []
    for members in np.array_split(np.arange(len(problems)), n_batches):
        batch = _Batch(design, Objective(design, problems.take(members)), stop)
        parts.append(batch.fit(None if start is None else start.take(members)))
    return LinearFits(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in LinearFits.__slots__
        }
    )


def batch_bytes(n_models: int, n_values: int) -> int:
    """Return the bytes to fit `n_models` models of `n_values` coefficients, without the matrix."""
    return min(n_models, _max_batch_size(n_values)) * _model_bytes(n_values)


def _max_batch_size(n_values: int) -> int:
    return max(_BATCH_BYTES // _model_bytes(n_values), 1)


def _model_bytes(n_values: int) -> int:
    """Return an upper bound on the bytes needed to fit one model with `n_values` coefficients."""
    return n_values * 8 * (2 * MEMORY_SIZE + 16)


class _Batch:
    """Fits P models together by L-BFGS, each in a basis u with a Hessian close to the identity.

    Each model has K logits (1 for two classes) on D columns.  A point is a model's coefficients and
    intercepts in the basis u, an array of N = K * (D + 1) values.
    """

    def __init__(self, design: DenseDesign, objective: Objective, stop: StopRule) -> None:
        self._objective, self._dtype = objective, design.dtype
        self._stop = stop
        self._n_logits = objective.n_logits
        mean, variances, covariance = design.moments(objective.row_weights())
        vectors = np.eye(0)
        if len(covariance):
            variances, vectors = np.linalg.eigh(covariance)
        self._vectors = vectors.astype(design.dtype)
        self._mean, self._variances = mean.astype(design.dtype), np.maximum(variances, 0.0)
        self._set_basis(objective.initial_curvatures())

    def _set_basis(self, curvatures: Array) -> None:
        """Set a basis u for each of P models, so that the model's Hessian is close to the identity.

        `curvatures` has the loss's mean second derivatives by each of K logits, shape (P, K).
        """
        h, penalty = np.maximum(curvatures, 1e-9), self._objective.penalty
        hessian = h[..., None] * self._variances + penalty[:, None, None]
        scale = (1 / np.sqrt(hessian)).astype(self._dtype)
        self._scale = scale.reshape(-1, scale.shape[-1])
        by_intercept = h + penalty[:, None] if self._objective.penalizes_intercept else h
        self._intercept_scale = (1 / np.sqrt(by_intercept)).ravel()

    def fit(self, start: WarmStart | None) -> LinearFits:
        """Fit all models from `start`, or from 0 if it is None.

        A fit from 0 sets the basis u again after eight iterations, when better estimates of the
        curvatures are available.
        """
        n_problems, n_features = len(self._objective.penalty), len(self._mean)
        max_iter = self._stop.max_iter
        n_iter = np.zeros(n_problems, int)
        if start is None:
            points = np.zeros((n_problems, self._n_logits * (n_features + 1)))
            first = self._minimize(points, min(_N_FIRST_ITERATIONS, max_iter))
            W, b = self._coefficients(first.points, np.arange(n_problems))
            n_iter = first.n_iter
            if max_iter <= _N_FIRST_ITERATIONS or (first.errors <= self._stop.tolerance).all():
                return LinearFits(coefficients=W, intercepts=b, errors=first.errors, n_iter=n_iter)
        else:
            W, b = start.coefficients, start.intercepts
        self._set_basis(self._objective.curvatures(W, b))
        rest = self._minimize(self._points(W, b), max_iter - int(n_iter.max()))
        W, b = self._coefficients(rest.points, np.arange(n_problems))
        return LinearFits(
            coefficients=W, intercepts=b, errors=rest.errors, n_iter=n_iter + rest.n_iter
        )

    def _minimize(self, points: Array, max_iter: int) -> OptimizeResults:
        return minimize(self._evaluate, points, self._stop.tolerance, max_iter)

    def _coefficients(self, points: Array, problems: Array) -> tuple[Array, Array]:
        """Convert points (P, N) in the basis u to coefficients (P, K, D) and intercepts (P, K)."""
        u, ids = self._logit_rows(points, problems)
        scaled = u[:, 1:].astype(self._dtype)
        scaled *= self._scale[ids]
        W = np.ascontiguousarray((self._vectors @ scaled.T).T) if len(self._vectors) else scaled
        b = u[:, 0] * self._intercept_scale[ids] - W @ self._mean
        return W.reshape(len(points), self._n_logits, -1), b.reshape(len(points), -1)

    def _points(self, W: Array, b: Array) -> Array:
        """Convert coefficients (P, K, D) and intercepts (P, K) to points in the basis u, (P, N)."""
        by_column = self._rotate(W, self._vectors) / self._scale.reshape(W.shape)
        by_intercept = (b + W @ self._mean) / self._intercept_scale.reshape(b.shape)
        return np.concatenate(
            [by_intercept[..., None], by_column], axis=-1, dtype=np.float64
        ).reshape(len(W), -1)

    def _rotate(self, W: Array, vectors: Array) -> Array:
        return W @ vectors if len(vectors) else W

    def _logit_rows(self, points: Array, problems: Array) -> tuple[Array, Array]:
        """Reshape points (P, N) to one row per logit of each model, shape (P * K, D + 1).

        Return these rows, and the position of each row's scales in `self._scale`.
        """
        ids = problems[:, None] * self._n_logits + np.arange(self._n_logits)
        return points.reshape(ids.size, -1), ids.ravel()

    def _evaluate(self, points: Array, problems: Array) -> tuple[Array, Array, Array]:
        """Evaluate `problems`, one at each of the points (P, N), which are in the basis u.

        Return the objective F (P,), its gradient (P, N), and the errors for the stopping rule (P,).
        """
        W, b = self._coefficients(points, problems)
        value, by_W, by_b, error = self._objective.evaluate(W, b, problems)
        u, ids = self._logit_rows(points, problems)
        g, by_b = by_W.reshape(len(u), -1), by_b.ravel()
        g -= (by_b[:, None] * self._mean).astype(g.dtype)
        gradient = np.empty_like(u)
        gradient[:, 0] = by_b * self._intercept_scale[ids]
        gradient[:, 1:] = self._rotate(g, self._vectors) * self._scale[ids]
        gradient = gradient.reshape(len(points), -1)
        if self._stop.suboptimality:
            estimate = 0.5 * np.einsum("pn,pn->p", gradient, gradient)
            scale = np.sqrt(estimate / self._stop.suboptimality)
            error = np.minimum(error, self._stop.tolerance * scale)
        return value, gradient, error
