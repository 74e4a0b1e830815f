"""Bring a logistic regression's confidence to what comes true, by one number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import brier_losses, calibration_error, log_losses

Array = np.ndarray[Any, Any]
DIVISIBLE: Final = ("logistic_regression", "prototypes")
_MIN_PROBABILITY: Final = 1e-300
_MAX_TEMPERATURE: Final = 20.0  # temperatures from a twentieth to twenty are looked at
_DIGITS: Final = 4


def find_temperature(found: Predictions) -> float:
    """Return the temperature with the least log loss, of rows that the model was not fitted to.

    It divides the logits (Guo et al. 2017): the order of the classes stays.  Few digits are kept,
    so that the last ones of a fold's model do not change the published one.
    """
    some = found.take(found.true_class_proba() > 0)  # a class that a fold lacks has no logit

    def loss(logarithm: float) -> float:
        return float(log_losses(apply_temperature(some, math.exp(logarithm))).mean())

    if not len(some.y_true):
        return 1.0
    end = math.log(_MAX_TEMPERATURE)
    return round(math.exp(minimize_scalar(loss, bounds=(-end, end), method="bounded").x), _DIGITS)


def apply_temperature(found: Predictions, temperature: float) -> Predictions:
    """Return the probabilities that the logits have when they are divided."""
    logits = np.log(np.clip(found.proba.astype(np.float64), _MIN_PROBABILITY, None)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    proba = np.exp(logits)
    return replace(found, proba=proba / proba.sum(axis=1, keepdims=True))


def divide(pipeline: Any, temperature: float) -> None:
    """Divide the coefficients themselves: no class of scikit-learn is needed to load the model.

    Parameters
    ----------
    pipeline
        Of an estimator of `DIVISIBLE`: its last step is a logistic regression, or ends in one.
    """
    model = pipeline[-1]
    if isinstance(model, Pipeline):
        model = model[-1]
    assert isinstance(model, LogisticRegression)
    model.coef_ = model.coef_ / model.coef_.dtype.type(temperature)
    model.intercept_ = model.intercept_ / model.intercept_.dtype.type(temperature)


def describe_temperature(
    before: Predictions, after: Predictions, temperature: float
) -> dict[str, Any]:
    """Return what judged rows say of the model before and after it was divided."""
    return {
        "temperature": temperature,
        "before": _losses(before.take(before.has_known_class)),
        "after": _losses(after.take(after.has_known_class)),
    }


def heat_across(found: Predictions, fold: Array, folds: Sequence[int]) -> Predictions:
    """Heat these folds, each by the temperature that the others of them are best described by."""
    found = replace(found, proba=found.proba.astype(np.float64))
    proba = found.proba.copy()
    is_heated = np.isin(fold, folds)
    for number in folds:
        own, others = fold == number, is_heated & (fold != number)
        proba[own] = apply_temperature(found.take(own), find_temperature(found.take(others))).proba
    return replace(found, proba=proba)


def _losses(found: Predictions) -> dict[str, float]:
    return {
        "calibration_error": round(calibration_error(found), 6),
        "log_loss": round(float(log_losses(found).mean()), 6),
        "brier": round(float(brier_losses(found).mean()), 6),
    }
