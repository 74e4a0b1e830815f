"""Scores that are means over rows, row by row."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.stages.metrics.predictions import Predictions

Array = np.ndarray[Any, Any]
# As in scikit-learn's log loss of doubles; of single precision, too, so that models compare.
_MIN_PROBABILITY: Final = float(np.finfo(np.float64).eps)


def log_losses(found: Predictions) -> Array:
    """Return each row's log loss; of rows whose class is known only."""
    losses: Array = -np.log(
        np.clip(found.true_class_proba() / found.proba.sum(axis=1), _MIN_PROBABILITY, 1)
    )
    return losses


def brier_losses(found: Predictions) -> Array:
    """Return half the squared distance of each row's probabilities to its class, in [0, 1]."""
    squares = np.square(found.proba).sum(axis=1)
    losses: Array = (squares - 2 * found.true_class_proba() + 1) / 2
    return losses


def roc_auc_influences(found: Predictions) -> tuple[float, Array]:
    """Return the mean one-vs-rest ROC-AUC, and what each row adds to it.

    A row's share is its placement among the rows of the other side (DeLong); the mean of a
    resample's shares is, to first order, its AUC's deviation from the whole's.

    Returns
    -------
    score, influences
        NaN where no class has rows on both sides; influences have shape (n_rows,) and mean 0.
    """
    n, areas, influences = len(found.y_true), [], np.zeros(len(found.y_true))
    for column, number in enumerate(found.known):
        is_class = found.y_true == number
        n_class = int(is_class.sum())
        if not 0 < n_class < n:
            continue
        score = found.proba[:, column]
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


def _share_below(order: Array, values: Array) -> Array:
    """Return the share of sorted numbers that each value exceeds; equal ones count half."""
    both = np.searchsorted(order, values, "left") + np.searchsorted(order, values, "right")
    return both / (2 * len(order))


def calibration_error(found: Predictions, n_bins: int = 15) -> float:
    """Return the expected calibration error of the predicted class, in bins of equal mass."""
    return equal_mass_error(found.proba.max(axis=1), found.y_pred == found.y_true, n_bins)


def equal_mass_error(confidence: Array, is_right: Array, n_bins: int = 15) -> float:
    """Return the mean gap between confidence and what came true, in bins of equal mass."""
    order = np.argsort(confidence, kind="stable")
    gaps = is_right.astype(float) - confidence
    bins = np.array_split(gaps[order], min(n_bins, len(gaps)))
    return float(sum(abs(some.sum()) for some in bins) / len(gaps))
