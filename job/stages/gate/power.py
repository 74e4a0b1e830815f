"""Power of a comparison: how often equal models pass, and how large a drop can pass undetected.

How it works
------------
1. The difference d of two models on the same groups is assumed to be normal around the true
   difference, with the standard error se of the paired bootstrap.
2. Non-inferiority accepts if the lower bound of the interval is above minus the margin m:
   d - z se > -m, where z is the normal quantile at 1 - `gate.alpha`.
3. A table can show the margin if this rule accepts at least 80% of equal candidates.
4. If a table cannot show the margin, `gate.inconclusive: tolerate` accepts d >= -t, where
   t = min(max(m, z se), M).  This tolerates a drop that chance explains, up to M = `gate.max_drop`.
5. So every rule accepts d >= -T for some T.  Equal models pass with probability Phi(T / se), and a
   true drop of T + 1.645 se passes in 5% of the runs.

Of two standard errors, the larger one is used.  The first comes from this run's comparison.  It may
be too small, because two models may agree by chance on groups whose predictions change with most
retrainings.  The second compares the candidate with itself, trained on two different sets of folds
of this run's table.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.stats import norm

from job.contracts.arrays import Array
from job.contracts.reports.gate import CanShow
from job.contracts.reports.search import SearchedLabels
from job.contracts.settings.gate import GateSpec, PairedSpec
from job.stages.gate.paired_bootstrap import compare_counts, count_pair

POWER: Final = 0.8  # probability that an equal candidate is accepted, if the margin can be shown
_MAX_UNDETECTED: Final = 0.05  # probability that the largest drop passes


def can_show_margin(standard_error: float, spec: GateSpec) -> bool:
    """Return whether non-inferiority by `gate.margin` accepts 80% of equal candidates."""
    z = norm.ppf(1 - spec.alpha) + norm.ppf(POWER)
    return bool(z * standard_error <= spec.margin)


def tolerated_drop(standard_error: float, spec: GateSpec) -> float:
    """Return the largest drop of the score that `gate.inconclusive: tolerate` accepts."""
    by_chance = float(norm.ppf(1 - spec.alpha)) * standard_error
    return max(min(max(spec.margin, by_chance), spec.max_drop), 0.0)


def describe_power(standard_error: float, spec: GateSpec, metric: str) -> CanShow:
    """Return how often equal models pass the gate, and how large a drop can pass undetected.

    Parameters
    ----------
    standard_error
        Standard error of the difference between two models' scores; positive.
    """
    accepted = _accepted_drop(standard_error, spec)
    return CanShow(
        metric=metric,
        standard_error=standard_error,
        equal_accepted=float(norm.cdf(accepted / standard_error)),
        largest_drop=float(max(accepted + norm.ppf(1 - _MAX_UNDETECTED) * standard_error, 0.0)),
    )


def measure_equal_error(
    labels: SearchedLabels, candidate: int, y_pred: Array, groups: Array, spec: PairedSpec
) -> float | None:
    """Return the standard error of the score difference between two retrainings of one candidate.

    The candidate was trained on the folds of the search and on the folds of the cross-fitted
    evaluation.  So each training row has two predicted classes, each by a model that was not
    trained on the row's group.

    Parameters
    ----------
    candidate
        Position of the candidate in `labels`, the search's out-of-fold predictions.
    y_pred, groups
        Cross-fitted predicted class and group id of each training row, shape (n_rows,).

    Returns
    -------
    standard_error
        None if the metric needs probabilities, or if the search has not kept the predictions of
        this candidate.
    """
    search_y_pred = labels.y_pred[candidate].astype(np.int64)
    has_both = search_y_pred >= 0
    if not has_both.any():
        return None
    pair = search_y_pred[has_both], y_pred[has_both]
    names = tuple(str(n) for n in range(labels.n_classes))
    counts = count_pair(names, labels.y_true[has_both], pair, groups[has_both])
    return compare_counts(counts, spec).standard_error


def _accepted_drop(standard_error: float, spec: GateSpec) -> float:
    """Return the largest drop of the score that the gate accepts; negative if a rise is needed."""
    half_width = float(norm.ppf(1 - spec.alpha)) * standard_error
    if spec.rule == "superiority":
        return -half_width
    if not can_show_margin(standard_error, spec):
        if spec.inconclusive == "tolerate":
            return max(tolerated_drop(standard_error, spec), spec.margin - half_width)
        if spec.inconclusive == "warn":
            return spec.margin
    return spec.margin - half_width
