"""Metrics of predicted probabilities: losses, ROC-AUC, PR-AUC and calibration error."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.stages.metrics.predictions import Predictions

# Probabilities are clipped to this bound, as in scikit-learn.  It is used for float32 as well, so
# that models are comparable.
_MIN_PROBABILITY: Final = float(np.finfo(np.float64).eps)


def log_losses(predictions: Predictions) -> Array:
    """Return each row's log loss; every true class must be one of the model's classes."""
    losses: Array = -np.log(
        np.clip(predictions.true_class_proba() / predictions.proba.sum(axis=1), _MIN_PROBABILITY, 1)
    )
    return losses


def brier_losses(predictions: Predictions) -> Array:
    """Return each row's Brier loss: half the squared distance of its probabilities to its class.

    The class is one-hot encoded, and must be one of the model's classes.
    """
    squares = np.square(predictions.proba).sum(axis=1)
    losses: Array = (squares - 2 * predictions.true_class_proba() + 1) / 2
    return losses


def class_roc_areas(predictions: Predictions) -> tuple[dict[int, float], Array]:
    """Return the one-vs-rest ROC-AUC of each class, and each row's influence on the mean ROC-AUC.

    For each class, rows of the class are ranked among all other rows, and all other rows among the
    rows of the class.  A row's influence is computed from its rank (DeLong).  To first order, the
    mean influence of a resample's rows is the resample's AUC minus the AUC of all rows.

    Returns
    -------
    areas, influences
        ROC-AUC by class number, and the influence of each row, shape (n_rows,).  A class is left
        out if all rows or no rows are of this class.
    """
    n, areas, influences = len(predictions.y_true), {}, np.zeros(len(predictions.y_true))
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
        areas[int(number)] = area = float(placements[is_class].mean())
        influences += (placements - area) * np.where(is_class, n / n_class, n / (n - n_class))
    return areas, influences / max(len(areas), 1)


def _share_below(ordered: Array, values: Array) -> Array:
    """Return, for each value, the share of the sorted numbers below the value; ties count half."""
    both = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return both / (2 * len(ordered))


def calibration_error(predictions: Predictions, n_bins: int = 15) -> float:
    """Return the expected calibration error of the predicted classes (`equal_mass_error`)."""
    is_correct = predictions.y_pred == predictions.y_true
    return equal_mass_error(predictions.proba.max(axis=1), is_correct, n_bins)


def equal_mass_error(confidence: Array, is_correct: Array, n_bins: int = 15) -> float:
    """Return the mean gap between confidence and accuracy over bins with equally many rows."""
    order = np.argsort(confidence, kind="stable")
    gaps = is_correct.astype(float) - confidence
    bins = np.array_split(gaps[order], min(n_bins, len(gaps)))
    return float(sum(abs(gaps_of_bin.sum()) for gaps_of_bin in bins) / len(gaps))


class KnownRows:
    """The rows whose true class is one of the model's classes, and metrics of their probabilities.

    Each metric is computed once, when it is first needed.
    """

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions.take(predictions.has_known_class)
        self.y_true = self.predictions.y_true
        self.proba = self.predictions.proba
        self.model_classes = self.predictions.model_classes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y_true)

    @cached_property
    def log_losses(self) -> Array:
        """Log loss of each row, shape (n_rows,)."""
        return log_losses(self.predictions)

    @cached_property
    def brier_losses(self) -> Array:
        """Brier loss of each row, shape (n_rows,)."""
        return brier_losses(self.predictions)

    @cached_property
    def roc_areas(self) -> tuple[dict[int, float], Array]:
        """ROC-AUC by class number, and the influence of each row on the mean over classes."""
        return class_roc_areas(self.predictions)

    @property
    def roc_auc(self) -> tuple[float, Array]:
        """Mean one-vs-rest ROC-AUC (NaN if undefined), and each row's influence on this mean."""
        areas, influences = self.roc_areas
        score = sum(areas.values()) / len(areas) if areas else math.nan
        return score, influences

    @cached_property
    def pr_areas(self) -> dict[int, float]:
        """Average precision by class number, without classes that have all rows or none."""
        from sklearn.metrics import average_precision_score

        areas = {}
        for column, number in enumerate(self.model_classes):
            truth = self.y_true == number
            if 0 < truth.sum() < len(truth):
                areas[int(number)] = float(average_precision_score(truth, self.proba[:, column]))
        return areas

    @property
    def pr_auc(self) -> float:
        """Mean one-vs-rest average precision; NaN if undefined."""
        areas = self.pr_areas
        return math.fsum(areas.values()) / len(areas) if areas else math.nan

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the predicted classes, in bins with equally many rows."""
        return calibration_error(self.predictions)
