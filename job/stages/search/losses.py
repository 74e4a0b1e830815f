"""The losses of logits, their derivatives, and their curvature."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

Array = npt.NDArray[Any]


def softmax_loss(Z: Array, y: Array, s: Array) -> tuple[Array, Array]:
    """Give summed loss (P,) and derivatives (P, K, n), which take the place of the logits Z.

    Parameters
    ----------
    y, s
        Class and weight of each row, shape (n,).
    """
    each = np.arange(len(y))
    Z -= Z.max(axis=1, keepdims=True)
    at_y = Z[:, y, each]
    np.exp(Z, out=Z)
    total = Z.sum(axis=1)
    loss = (np.log(total) - at_y) @ s
    Z *= (s / total)[:, None, :]
    Z[:, y, each] -= s
    return loss.astype(np.float64), Z


def logistic_loss(Z: Array, y: Array, s: Array) -> tuple[Array, Array]:
    """Give what `softmax_loss` gives, for one row of logits and two classes."""
    sign = np.where(y == 1, Z.dtype.type(1), Z.dtype.type(-1))
    loss = np.logaddexp(0, -sign * Z[:, 0]) @ s
    return loss.astype(np.float64), (expit(Z) - (y == 1)) * s


def curvature(Z: Array, s: Array) -> Array:
    """Give the weighted sum of p (1 - p), shape (P, K); one row of logits is of two classes."""
    p = expit(Z) if Z.shape[1] == 1 else softmax(Z, axis=1)
    found: Array = (p - p * p) @ s
    return found.astype(np.float64)


def softmax_probabilities(Z: Array, y: Array) -> tuple[Array, Array]:
    """Give losses (n,) and probabilities, which take the place of the logits Z (n, K)."""
    Z -= Z.max(axis=1, keepdims=True)
    at_y = Z[np.arange(len(y)), y]
    np.exp(Z, out=Z)
    total = Z.sum(axis=1)
    Z /= total[:, None]
    return np.log(total) - at_y, Z


def logistic_probabilities(Z: Array, y: Array) -> tuple[Array, Array]:
    """Give losses and probabilities for one column of logits and two classes."""
    sign = np.where(y == 1, Z.dtype.type(1), Z.dtype.type(-1))
    return np.logaddexp(0, -sign * Z[:, 0]), expit(Z)
