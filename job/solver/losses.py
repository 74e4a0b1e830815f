"""What rows cost by their logits: losses, their derivatives, and their curvature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of some rows, for each of P problems.

    Attributes
    ----------
    y
        Classes, shape (n,).
    s
        Weights of the rows, shape (P, n) or (1, n).
    gains
        What a row counts more at the logit of its own class, shape (P, n) or (1, n), of more than
        two classes; None for 1.
    """

    y: Array
    s: Array
    gains: Array | None = None


class Loss(Protocol):
    """A convex loss of logits Z, shape (P, K, n); K is 1 for two classes."""

    penalizes_intercept: ClassVar[bool]

    def loss_and_gradient(self, Z: Array, labels: Labels) -> Array:
        """Return the summed loss (P,); derivatives take the place of Z, which is in C order."""

    def curve(self, Z: Array, labels: Labels) -> Array:
        """Return the weighted sum of the second derivatives, shape (P, K)."""

    def initial_hessian_diagonal(self, share: Array) -> Array:
        """Return about that, shape (P, K), before a logit is known, from each class's share."""

    def measure(self, by_W: Array, by_b: Array) -> Array:
        """Return the size of gradients (R, D) and (R,) by which their solver ends, shape (R,)."""


class Logistic:
    """The softmax loss, of two classes the logistic loss of one logit."""

    penalizes_intercept: ClassVar[bool] = False

    def loss_and_gradient(self, Z: Array, labels: Labels) -> Array:
        """Return what a loss does."""
        y, s = labels.y, labels.s
        if Z.shape[1] == 1:
            loss = _weighted_sum(_softplus(-_signs(y, Z) * Z[:, 0]), s)
            expit(Z, out=Z)
            Z -= y == 1
            Z *= s[:, None]
            return loss
        own, flat = _own(Z, y), Z.reshape(-1)
        Z -= Z.max(axis=1, keepdims=True)
        at_y = flat[own]
        np.exp(Z, out=Z)
        total = Z.sum(axis=1)
        loss = _weighted_sum(np.log(total) - at_y, s)
        Z *= (s / total)[:, None]
        flat[own] -= s
        return loss

    def curve(self, Z: Array, labels: Labels) -> Array:
        """Return the weighted sum of p (1 - p)."""
        p = expit(Z) if Z.shape[1] == 1 else softmax(Z, axis=1)
        p -= p * p
        return _sum_roughly(p, labels.s)

    def initial_hessian_diagonal(self, share: Array) -> Array:
        """Return that of probabilities which are the shares."""
        found: Array = share * (1 - share)
        return found

    def measure(self, by_W: Array, by_b: Array) -> Array:
        """Return the largest absolute derivative."""
        found: Array = np.maximum(np.maximum(by_W.max(axis=1), -by_W.min(axis=1)), np.abs(by_b))
        return found


class SquaredHinge:
    """The squared hinge of each class against the others, of two classes of the second's logit."""

    penalizes_intercept: ClassVar[bool] = True

    def loss_and_gradient(self, Z: Array, labels: Labels) -> Array:
        """Return what a loss does."""
        sides = self._sides(Z, labels.y)
        Z *= -sides
        Z += 1
        np.maximum(Z, 0, out=Z)
        squares = np.einsum("pkn,pkn->pn", Z, Z)
        if labels.gains is not None:
            own, flat = _own(Z, labels.y), Z.reshape(-1)
            squares += (labels.gains - 1) * flat[own] ** 2
            flat[own] *= labels.gains
        Z *= -2 * sides
        Z *= labels.s[:, None]
        return _weighted_sum(squares, labels.s)

    def curve(self, Z: Array, labels: Labels) -> Array:
        """Count twice the rows within the margin."""
        found = (self._sides(Z, labels.y) * Z < 1).astype(Z.dtype)
        if labels.gains is not None:
            found.reshape(-1)[_own(Z, labels.y)] *= labels.gains
        return 2 * _sum_roughly(found, labels.s)

    def initial_hessian_diagonal(self, share: Array) -> Array:
        """Return that of all rows within the margin."""
        found: Array = np.full_like(share, 2.0)
        return found

    def measure(self, by_W: Array, by_b: Array) -> Array:
        """Return the length."""
        found: Array = np.sqrt(np.einsum("rd,rd->r", by_W, by_W) + by_b**2)
        return found

    def _sides(self, Z: Array, y: Array) -> Array:
        if Z.shape[1] == 1:
            return _signs(y, Z)
        own = y == np.arange(Z.shape[1])[:, None]
        found: Array = np.where(own, Z.dtype.type(1), Z.dtype.type(-1))
        return found


def _own(Z: Array, y: Array) -> Array:
    """Return where the logit of each row's own class is in Z, which is flat, shape (P, n)."""
    n_problems, n_classes, n = Z.shape
    starts = np.arange(0, n_problems * n_classes * n, n_classes * n)[:, None]
    found: Array = starts + (y * n + np.arange(n))
    return found


def _signs(y: Array, Z: Array) -> Array:
    found: Array = np.where(y == 1, Z.dtype.type(1), Z.dtype.type(-1))
    return found


def _softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), ten times faster than `np.logaddexp(0, x)` in single precision."""
    found = np.abs(x)
    np.negative(found, out=found)
    np.exp(found, out=found)
    np.log1p(found, out=found)
    found += np.maximum(x, 0)
    return found


def _weighted_sum(values: Array, s: Array) -> Array:
    """Sum rows up in double precision, whose last digits tell a step down from one up."""
    found: Array = np.vecdot(values.astype(np.float64), s.astype(np.float64))
    return found


def _sum_roughly(curves: Array, s: Array) -> Array:
    """Sum rows up in their own precision, which is enough for curvatures (P, K)."""
    found: Array = np.vecdot(curves, s[:, None])
    return found


def softmax_probabilities(Z: Array, y: Array) -> tuple[Array, Array]:
    """Return losses (n,) and probabilities, which take the place of the logits Z (n, K)."""
    Z -= Z.max(axis=1, keepdims=True)
    at_y = Z[np.arange(len(y)), y]
    np.exp(Z, out=Z)
    total = Z.sum(axis=1)
    Z /= total[:, None]
    return np.log(total) - at_y, Z


def logistic_probabilities(Z: Array, y: Array) -> tuple[Array, Array]:
    """Return losses and probabilities for one column of logits and two classes."""
    sign = _signs(y, Z)
    return _softplus(-sign * Z[:, 0]), expit(Z)
