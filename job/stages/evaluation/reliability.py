"""Whether confidence means what it says, and what is gained by not answering where it is low."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import equal_mass_error

Array = np.ndarray[Any, Any]
N_BINS: Final = 15
MIN_ROWS: Final = 20
_N_POINTS: Final = 100


def measure_reliability(found: Predictions) -> dict[str, Any] | None:
    """Compare confidence with what came true, of the predicted class and of each class.

    Rows whose class the model does not know stay out; None where no other row is left.
    """
    if not found.has_known_class.any():
        return None
    found = found.take(found.has_known_class)
    is_right = found.y_pred == found.y_true
    per_class = {}
    for column, number in enumerate(found.known):
        truth, p = found.y_true == number, found.proba[:, column]
        per_class[found.classes[number]] = {
            "calibration_error": round(equal_mass_error(p, truth), 6),
            "brier": round(float(np.square(p - truth).mean()), 6),
            "bins": describe_bins(p, truth),
        }
    return {
        "min_rows": MIN_ROWS,
        "bins": describe_bins(found.proba.max(axis=1), is_right),
        "per_class": per_class,
    }


def describe_bins(confidence: Array, is_right: Array) -> dict[str, list[Any]]:
    """Return mean confidence, accuracy and rows of bins of equal mass, none below `MIN_ROWS`."""
    order = np.argsort(confidence, kind="stable")
    bounds = _cut(confidence[order])
    sizes = np.diff(bounds, prepend=0)
    starts = bounds - sizes
    means = [
        np.add.reduceat(values[order].astype(float), starts) / sizes if len(bounds) else sizes
        for values in (confidence, is_right)
    ]
    return {
        "confidence": np.round(means[0], 4).tolist(),
        "accuracy": np.round(means[1], 4).tolist(),
        "n_rows": sizes.tolist(),
    }


def _cut(confidence: Array) -> Array:
    """Return where bins of sorted numbers end; equal numbers share one, small ones join others."""
    n_bins = min(N_BINS, len(confidence) // MIN_ROWS)
    bounds: list[int] = []
    for n in range(n_bins):
        last = confidence[(n + 1) * len(confidence) // n_bins - 1]
        end = int(np.searchsorted(confidence, last, "right"))
        if end - (bounds[-1] if bounds else 0) >= MIN_ROWS:
            bounds.append(end)
    return np.array([*bounds[:-1], len(confidence)] if bounds else [], int)


def trace_risk(found: Predictions) -> dict[str, Any] | None:
    """Return the share of wrong answers by the share of rows that are answered, surest first.

    Rows of equal confidence count as an average one of them, so that their order means nothing.

    Returns
    -------
    curve
        `area` (mean risk over all coverages), and points of which each answers `MIN_ROWS` rows or
        more; None where there are fewer rows.
    """
    n = len(found.y_true)
    if n < MIN_ROWS:
        return None
    confidence = found.proba.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    confidence, is_wrong = confidence[order], (found.y_pred != found.y_true)[order]
    bounds = np.flatnonzero(np.diff(confidence, append=-1)) + 1
    n_answered = np.arange(1, n + 1)
    n_wrong = np.interp(n_answered, [0, *bounds], [0, *np.cumsum(is_wrong)[bounds - 1]])
    risk = n_wrong / n_answered
    points = np.unique(-(-np.arange(1, _N_POINTS + 1) * n // _N_POINTS))
    points = points[points >= MIN_ROWS]
    return {
        "area": round(float(risk.mean()), 6),
        "coverage": (points / n).round(4).tolist(),
        "risk": risk[points - 1].round(4).tolist(),
        "threshold": confidence[points - 1].round(4).tolist(),
    }
