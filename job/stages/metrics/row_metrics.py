"""Metrics of probabilities: losses of each row, ROC-AUC, and the calibration error."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.stages.metrics.predictions import Predictions

Array = np.ndarray[Any, Any]
# scikit-learn's bound for float64 is used for float32 as well, so that models can be compared.
_MIN_PROBABILITY: Final = float(np.finfo(np.float64).eps)


def log_losses(predictions: Predictions) -> Array:
    """Return the log loss of each row; the model must know the classes of all rows."""
    losses: Array = -np.log(
        np.clip(predictions.true_class_proba() / predictions.proba.sum(axis=1), _MIN_PROBABILITY, 1)
    )
    return losses


def brier_losses(predictions: Predictions) -> Array:
    """Return half the squared distance of each row's probabilities to its class, in [0, 1]."""
    squares = np.square(predictions.proba).sum(axis=1)
    losses: Array = (squares - 2 * predictions.true_class_proba() + 1) / 2
    return losses


def roc_auc_influences(predictions: Predictions) -> tuple[float, Array]:
    """Return the mean one-vs-rest ROC-AUC, and the influence of each row on it.

    Influences come from the placement of a row's score among the rows of the other side (DeLong).
    To first order, the mean influence of a resample is its AUC minus the AUC of all rows.

    Returns
    -------
    score, influences
        NaN if no class has rows on both sides; influences have shape (n_rows,) and mean 0.
    """
    n, areas, influences = len(predictions.y_true), [], np.zeros(len(predictions.y_true))
    for column, number in enumerate(predictions.model_classes):
        is_class = predictions.y_true == number
        n_class = int(is_class.sum())
        if not 0 < n_class < n:
            continue
        score = predictions.proba[:, column]
        inside, outside = score[is_class], np.sort(score[~is_class])
        placements = np.empty(n)
        placements[is_class] = _share_below(outside, inside)
        placements[~is_class] = 1 - _share_below(np.sort(inside), score[~is_class])
        area = float(placements[is_class].mean())
        areas.append(area)
        influences += (placements - area) * np.where(is_class, n / n_class, n / (n - n_class))
    if not areas:
        return float("nan"), influences
    return sum(areas) / len(areas), influences / len(areas)


def _share_below(ordered: Array, values: Array) -> Array:
    """Return the share of sorted numbers that each value exceeds; equal ones count half."""
    both = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return both / (2 * len(ordered))


def calibration_error(predictions: Predictions, n_bins: int = 15) -> float:
    """Return the expected calibration error of the predicted class, in bins of equal mass."""
    is_correct = predictions.y_pred == predictions.y_true
    return equal_mass_error(predictions.proba.max(axis=1), is_correct, n_bins)


def equal_mass_error(confidence: Array, is_correct: Array, n_bins: int = 15) -> float:
    """Return the mean gap between confidence and accuracy, in bins of equal mass."""
    order = np.argsort(confidence, kind="stable")
    gaps = is_correct.astype(float) - confidence
    bins = np.array_split(gaps[order], min(n_bins, len(gaps)))
    return float(sum(abs(gaps_of_bin.sum()) for gaps_of_bin in bins) / len(gaps))
