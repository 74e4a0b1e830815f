"""Losses of logits, with their gradients, curvatures and stopping rules.

`Logistic` is the loss of `LogisticRegression`, and `SquaredHinge` the loss of `LinearSVC`.  The
solver of dense matrices (`dense_batch`) uses both.  The solver of sparse matrices (`newton_cg`)
uses `softmax_probabilities` and `logistic_probabilities` instead.
P is the number of problems (models to be fitted), K the number of logits per problem (1 for two
classes), n the number of rows in a chunk, and D the number of columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from scipy.special import expit, softmax

from job.solver.arrays import Array


@dataclass(frozen=True, slots=True)
class Labels:
    """Classes and weights of a chunk of n rows, for each of P problems.

    Attributes
    ----------
    y
        Class of each row as a number from 0, shape (n,).
    sample_weight
        Weight of each row, shape (P, n), or (1, n) if the weights are the same in all problems.
    own_class_weight
        For more than two classes: factor of the loss at the logit of the row's own class, shape
        (P, n) or (1, n).  None means 1 everywhere.
    """

    y: Array
    sample_weight: Array
    own_class_weight: Array | None = None


class Loss(Protocol):
    """A convex loss, computed from logits Z of shape (P, K, n).

    Z has the K logits (1 for two classes) of P models for n rows.
    """

    penalizes_intercept: ClassVar[bool]

    def loss_and_gradient(self, Z: Array, labels: Labels) -> Array:
        """Return the loss of each of the P models, summed over rows, as an array of shape (P,).

        Z holds the logits, in C order.  It is overwritten with the derivative by each logit.
        """

    def hessian_diagonal(self, Z: Array, labels: Labels) -> Array:
        """Return the loss's second derivatives by each logit, summed over rows, shape (P, K)."""

    def initial_hessian_diagonal(self, class_shares: Array) -> Array:
        """Estimate the mean second derivative of the loss by each logit, shape (P, K).

        The estimate is used in the first iteration of P models with K logits each.  `class_shares`
        holds the weighted share of rows in the class of each logit, shape (P, K).
        """

    def gradient_norm(self, by_W: Array, by_b: Array) -> Array:
        """Return the norm of each of R gradients, as the stopping rule defines it, shape (R,).

        `by_W` holds the derivatives by D coefficients, shape (R, D); `by_b` holds the derivative by
        the intercept, shape (R,).
        """


class Logistic:
    """The softmax loss; for two classes, the logistic loss of one logit."""

    penalizes_intercept: ClassVar[bool] = False

    def loss_and_gradient(self, Z: Array, labels: Labels) -> Array:
        """Return each model's loss, summed over rows; overwrite Z with the loss's derivatives."""
        y, s = labels.y, labels.sample_weight
        if Z.shape[1] == 1:
            loss = _weighted_sum(_softplus(-_signs(y, Z) * Z[:, 0]), s)
            expit(Z, out=Z)
            Z -= y == 1
            Z *= s[:, None]
            return loss
        own, flat = _own_logit_index(Z, y), Z.reshape(-1)
        Z -= Z.max(axis=1, keepdims=True)
        at_y = flat[own]
        np.exp(Z, out=Z)
        total = Z.sum(axis=1)
        loss = _weighted_sum(np.log(total) - at_y, s)
        Z *= (s / total)[:, None]
        flat[own] -= s
        return loss

    def hessian_diagonal(self, Z: Array, labels: Labels) -> Array:
        """Return the weighted sum over rows of p (1 - p), for the probability p of each class."""
        p = expit(Z) if Z.shape[1] == 1 else softmax(Z, axis=1)
        p -= p * p
        return _fast_weighted_sum(p, labels.sample_weight)

    def initial_hessian_diagonal(self, class_shares: Array) -> Array:
        """Return p (1 - p), where p is the share of rows in the class of the logit."""
        curvature: Array = class_shares * (1 - class_shares)
        return curvature

    def gradient_norm(self, by_W: Array, by_b: Array) -> Array:
        """Return the largest absolute derivative of each gradient, shape (R,)."""
        norm: Array = np.maximum(np.maximum(by_W.max(axis=1), -by_W.min(axis=1)), np.abs(by_b))
        return norm


class SquaredHinge:
    """The squared hinge loss of each class against the rest; for two classes, of a single logit."""

    penalizes_intercept: ClassVar[bool] = True

    def loss_and_gradient(self, Z: Array, labels: Labels) -> Array:
        """Return each model's loss, summed over rows; overwrite Z with the loss's derivatives."""
        signs = self._one_vs_rest_signs(Z, labels.y)
        Z *= -signs
        Z += 1
        np.maximum(Z, 0, out=Z)
        squares = np.einsum("pkn,pkn->pn", Z, Z)
        if labels.own_class_weight is not None:
            own, flat = _own_logit_index(Z, labels.y), Z.reshape(-1)
            squares += (labels.own_class_weight - 1) * flat[own] ** 2
            flat[own] *= labels.own_class_weight
        Z *= -2 * signs
        Z *= labels.sample_weight[:, None]
        return _weighted_sum(squares, labels.sample_weight)

    def hessian_diagonal(self, Z: Array, labels: Labels) -> Array:
        """Return, for each logit, twice the summed weights of the rows within the margin."""
        in_margin = (self._one_vs_rest_signs(Z, labels.y) * Z < 1).astype(Z.dtype)
        if labels.own_class_weight is not None:
            in_margin.reshape(-1)[_own_logit_index(Z, labels.y)] *= labels.own_class_weight
        return 2 * _fast_weighted_sum(in_margin, labels.sample_weight)

    def initial_hessian_diagonal(self, class_shares: Array) -> Array:
        """Return 2 for each logit, as if all rows were within the margin."""
        curvature: Array = np.full_like(class_shares, 2.0)
        return curvature

    def gradient_norm(self, by_W: Array, by_b: Array) -> Array:
        """Return the Euclidean norm of each gradient, shape (R,)."""
        norm: Array = np.sqrt(np.einsum("rd,rd->r", by_W, by_W) + by_b**2)
        return norm

    def _one_vs_rest_signs(self, Z: Array, y: Array) -> Array:
        if Z.shape[1] == 1:
            return _signs(y, Z)
        is_own = y == np.arange(Z.shape[1])[:, None]
        signs: Array = np.where(is_own, Z.dtype.type(1), Z.dtype.type(-1))
        return signs


def _own_logit_index(Z: Array, y: Array) -> Array:
    """Return where the flattened Z holds the logit of each row's own class, shape (P, n)."""
    n_problems, n_classes, n = Z.shape
    starts = np.arange(0, n_problems * n_classes * n, n_classes * n)[:, None]
    index: Array = starts + (y * n + np.arange(n))
    return index


def _signs(y: Array, Z: Array) -> Array:
    signs: Array = np.where(y == 1, Z.dtype.type(1), Z.dtype.type(-1))
    return signs


def _softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), ten times faster than `np.logaddexp(0, x)` in single precision."""
    result = np.abs(x)
    np.negative(result, out=result)
    np.exp(result, out=result)
    np.log1p(result, out=result)
    result += np.maximum(x, 0)
    return result


def _weighted_sum(values: Array, s: Array) -> Array:
    """Sum values, weighted by s, over rows in double precision, which the line search needs."""
    total: Array = np.vecdot(values.astype(np.float64), s.astype(np.float64))
    return total


def _fast_weighted_sum(curvatures: Array, s: Array) -> Array:
    """Return the sum over rows of `s` times the curvatures, in the dtype of the curvatures."""
    total: Array = np.vecdot(curvatures, s[:, None])
    return total


def softmax_probabilities(Z: Array, y: Array) -> tuple[Array, Array]:
    """Return log losses (n,) and probabilities (n, K); the probabilities overwrite Z."""
    Z -= Z.max(axis=1, keepdims=True)
    at_y = Z[np.arange(len(y)), y]
    np.exp(Z, out=Z)
    total = Z.sum(axis=1)
    Z /= total[:, None]
    return np.log(total) - at_y, Z


def logistic_probabilities(Z: Array, y: Array) -> tuple[Array, Array]:
    """Return log losses (n,) and probabilities of the second class (n, 1), for two classes."""
    sign = _signs(y, Z)
    return _softplus(-sign * Z[:, 0]), expit(Z)
