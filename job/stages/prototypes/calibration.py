"""Probabilities from log-densities of classes: one slope for all, and an intercept for each.

A logistic regression that is free to weigh each log-density against each other one learns the
templates of a table once more, and loses on other wordings what the densities have kept.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

Array = npt.NDArray[Any]
_DECIMALS: Final = 3
_PRECISION: Final = 0.1  # of the priors: the inverse of their variance


def calibrate(log_densities: Array, codes: Array, weights: Array) -> LogisticRegression:
    """Fit slope and intercepts by the weighted log loss.

    The logarithm of the slope and the intercepts have normal priors around 0, so that classes that
    are told apart without an error still have a finite slope.

    Parameters
    ----------
    log_densities
        Shape (n_items, n_classes).
    codes
        The class of each item, from 0, shape (n_items,); every class has some.
    weights
        Shape (n_items,); their sum is the number of independent observations.

    Returns
    -------
    model
        Fitted to the classes 0, 1 and so on; rounded to 3 decimals.
    """
    L, n_classes = log_densities.astype(np.float64), log_densities.shape[1]
    rows = np.arange(len(L))

    def loss(point: Array) -> tuple[float, Array]:
        slope = np.exp(point[0])
        logits = slope * L + point[1:]
        total = logsumexp(logits, axis=1)
        residuals = np.exp(logits - total[:, None])
        residuals[rows, codes] -= 1
        residuals *= weights[:, None]
        gradient = np.concatenate([[slope * (residuals * L).sum()], residuals.sum(axis=0)])
        log_loss = float(weights @ (total - logits[rows, codes]))
        return log_loss + _PRECISION * float(point @ point) / 2, gradient + _PRECISION * point

    found = minimize(loss, np.zeros(n_classes + 1), jac=True, method="L-BFGS-B")
    slope = np.round(np.exp(found.x[0]), _DECIMALS)
    intercepts = np.round(found.x[1:], _DECIMALS)
    return _as_model(slope, intercepts, found.nit)


def _as_model(slope: float, intercepts: Array, n_iter: int) -> LogisticRegression:
    """Return a logistic regression with these logits; of two classes it has one, their difference.

    No solver has seen it.
    """
    n_classes = len(intercepts)
    W, b = slope * np.eye(n_classes), intercepts
    if n_classes == 2:
        W, b = W[1:] - W[:1], b[1:] - b[:1]
    model = LogisticRegression()
    model.classes_, model.n_features_in_ = np.arange(n_classes), n_classes
    model.coef_, model.intercept_ = W, b
    model.n_iter_ = np.array([n_iter], np.int32)
    return model
