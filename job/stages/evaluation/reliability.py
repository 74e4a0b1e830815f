"""Reliability of confidences, and the risk-coverage curve of abstention.

How it works
------------
1. Reliability: rows are sorted by confidence and cut into up to 15 bins of about equal size.  Rows
   of equal confidence share a bin, and a bin has at least 20 rows.  The mean confidence of each bin
   is compared with the bin's accuracy.
2. The same is done for each class, with the probability of the class as confidence.
3. Risk-coverage curve: rows are sorted by confidence, highest first.  For each share of answered
   rows, the risk is the share of wrong answers among them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.reports.scores import Bins, ClassReliability, Reliability, RiskCoverage
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import equal_mass_error

N_BINS: Final = 15
MIN_ROWS: Final = 20
_N_POINTS: Final = 100


def measure_reliability(predictions: Predictions) -> Reliability | None:
    """Compare confidence with accuracy, for the predicted class and for each class.

    Rows whose true class is not one of the model's classes are left out.  The result is None if no
    rows remain.
    """
    if not predictions.has_known_class.any():
        return None
    predictions = predictions.take(predictions.has_known_class)
    is_right = predictions.y_pred == predictions.y_true
    per_class = {}
    for column, number in enumerate(predictions.model_classes):
        truth, p = predictions.y_true == number, predictions.proba[:, column]
        per_class[predictions.classes[number]] = ClassReliability(
            calibration_error=equal_mass_error(p, truth),
            brier=float(np.square(p - truth).mean()),
            bins=describe_bins(p, truth),
        )
    return Reliability(
        min_rows=MIN_ROWS,
        bins=describe_bins(predictions.proba.max(axis=1), is_right),
        per_class=per_class,
    )


def describe_bins(confidence: Array, is_right: Array) -> Bins:
    """Cut rows into bins of about equal size, and return confidence, accuracy and size of each."""
    order = np.argsort(confidence, kind="stable")
    stops = _find_bin_stops(confidence[order])
    sizes = np.diff(stops, prepend=0)
    starts = stops - sizes
    means = [
        np.add.reduceat(values[order].astype(float), starts) / sizes if len(stops) else sizes
        for values in (confidence, is_right)
    ]
    return Bins(
        confidence=np.round(means[0], 4).tolist(),
        accuracy=np.round(means[1], 4).tolist(),
        n_rows=sizes.tolist(),
    )


def _find_bin_stops(confidence: Array) -> Array:
    """Return the position after the last row of each bin of sorted confidences.

    Rows of equal confidence share a bin, and a bin that is too small is merged with the next one.
    """
    n_bins = min(N_BINS, len(confidence) // MIN_ROWS)
    stops: list[int] = []
    for n in range(n_bins):
        last = confidence[(n + 1) * len(confidence) // n_bins - 1]
        stop = int(np.searchsorted(confidence, last, "right"))
        if stop - (stops[-1] if stops else 0) >= MIN_ROWS:
            stops.append(stop)
    return np.array([*stops[:-1], len(confidence)] if stops else [], int)


def trace_risk(predictions: Predictions) -> RiskCoverage | None:
    """Return the risk-coverage curve: share of wrong answers by share of answered rows.

    Rows with the same confidence share their errors evenly, so the order of the rows does not
    matter.

    Returns
    -------
    curve
        `area` (mean risk over all coverages), and points with at least `MIN_ROWS` answered rows
        each.  None if there are fewer than `MIN_ROWS` rows.
    """
    n = len(predictions.y_true)
    if n < MIN_ROWS:
        return None
    confidence = predictions.proba.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    confidence, is_wrong = confidence[order], (predictions.y_pred != predictions.y_true)[order]
    tie_stops = np.flatnonzero(np.diff(confidence, append=-1)) + 1
    n_answered = np.arange(1, n + 1)
    n_wrong = np.interp(n_answered, [0, *tie_stops], [0, *np.cumsum(is_wrong)[tie_stops - 1]])
    risk = n_wrong / n_answered
    points = np.unique(-(-np.arange(1, _N_POINTS + 1) * n // _N_POINTS))
    points = points[points >= MIN_ROWS]
    return RiskCoverage(
        area=float(risk.mean()),
        coverage=(points / n).round(4).tolist(),
        risk=risk[points - 1].round(4).tolist(),
        threshold=confidence[points - 1].round(4).tolist(),
    )
