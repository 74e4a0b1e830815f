"""Temperature scaling: calibrate a logistic regression with a single number.

How it works
------------
1. The logits of out-of-fold predictions are divided by a temperature.  This changes the
   probabilities, but not the ranking of the classes (Guo et al. 2017).
2. The temperature with the lowest log loss on these predictions is chosen.
3. The coefficients of the published model are divided by the temperature, so that consumers need no
   additional class to load the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from job.contracts.arrays import Array
from job.contracts.reports.scores import ProbabilityLosses, Temperature
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import brier_losses, calibration_error, log_losses
from job.stages.training.estimators import find_kind

_MIN_PROBABILITY: Final = 1e-300
_MAX_TEMPERATURE: Final = 20.0  # searched from 1 / 20 to 20
_DIGITS: Final = 4


def can_be_scaled(estimator: str) -> bool:
    """Return whether the estimator ends in a logistic regression, whose logits can be scaled."""
    return find_kind(estimator).ends_in_logistic_regression


def find_temperature(predictions: Predictions) -> float:
    """Return the temperature with the lowest log loss on out-of-fold predictions.

    The temperature is rounded, so that rounding errors in a fold's model do not change the
    published model.
    """
    # a class without training rows in a fold has probability 0, and thus no logit
    predictions = predictions.take(predictions.true_class_proba() > 0)

    def loss(logarithm: float) -> float:
        return float(log_losses(apply_temperature(predictions, math.exp(logarithm))).mean())

    if not len(predictions.y_true):
        return 1.0
    bound = math.log(_MAX_TEMPERATURE)
    result = minimize_scalar(loss, bounds=(-bound, bound), method="bounded")
    return round(math.exp(result.x), _DIGITS)


def apply_temperature(predictions: Predictions, temperature: float) -> Predictions:
    """Return predictions whose logits are divided by the temperature."""
    logits = (
        np.log(np.clip(predictions.proba.astype(np.float64), _MIN_PROBABILITY, None)) / temperature
    )
    logits -= logits.max(axis=1, keepdims=True)
    proba = np.exp(logits)
    return replace(predictions, proba=proba / proba.sum(axis=1, keepdims=True))


def scale_coefficients(pipeline: Pipeline, temperature: float) -> None:
    """Divide the coefficients of a fitted pipeline by the temperature, in place.

    Parameters
    ----------
    pipeline
        Pipeline of an estimator for which `can_be_scaled` is true: its last step is a logistic
        regression, or a pipeline that ends in one.
    """
    model = pipeline[-1]
    if isinstance(model, Pipeline):
        model = model[-1]
    assert isinstance(model, LogisticRegression)
    model.coef_ = model.coef_ / model.coef_.dtype.type(temperature)
    model.intercept_ = model.intercept_ / model.intercept_.dtype.type(temperature)


def describe_temperature(
    before: Predictions, after: Predictions, temperature: float
) -> Temperature:
    """Return the temperature, and the calibration error and losses before and after scaling."""
    return Temperature(
        temperature=temperature,
        before=_compute_losses(before.take(before.has_known_class)),
        after=_compute_losses(after.take(after.has_known_class)),
    )


def apply_temperature_by_fold(
    predictions: Predictions, fold: Array, folds: Sequence[int]
) -> Predictions:
    """Divide the logits of each fold by the temperature that is learned on the other folds.

    Rows of folds that are not in `folds` are not changed.
    """
    predictions = replace(predictions, proba=predictions.proba.astype(np.float64))
    proba = predictions.proba.copy()
    is_scaled = np.isin(fold, folds)
    for number in folds:
        is_test = fold == number
        temperature = find_temperature(predictions.take(is_scaled & ~is_test))
        proba[is_test] = apply_temperature(predictions.take(is_test), temperature).proba
    return replace(predictions, proba=proba)


def _compute_losses(predictions: Predictions) -> ProbabilityLosses:
    return ProbabilityLosses(
        calibration_error=calibration_error(predictions),
        log_loss=float(log_losses(predictions).mean()),
        brier=float(brier_losses(predictions).mean()),
    )
