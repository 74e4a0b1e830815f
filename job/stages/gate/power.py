"""What a comparison can show: how often equals pass, and how large a drop may pass unseen.

The difference d of two models on the same groups is taken to be normal around the true one, with
the standard error se of the paired bootstrap.

- Non-inferiority accepts where the lower end of its interval is above the margin: d - z se > -m,
  where z is the normal's quantile at 1 - `gate.alpha`.
- A table can show the margin if that accepts an equal candidate four times in five.
- Where it cannot, `gate.inconclusive: tolerate` accepts d >= -t with t = min(max(m, z se), M): a
  lower score that chance explains, up to M = `gate.max_drop`.

The standard error is that of tonight's comparison, or that between two sets of folds of tonight's
table where this is larger: two models may agree by luck on groups that retraining often flips.

So every rule accepts d >= -T for some T; equals pass with the probability Phi(T / se), and a true
drop of T + 1.645 se passes once in twenty.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy.stats import norm

from job.contracts.reports.gate import CanShow
from job.contracts.reports.search import SearchedLabels
from job.contracts.settings.gate import GateSpec, PairedSpec
from job.stages.gate.paired_bootstrap import compare_counts, count_pair

Array = np.ndarray[Any, Any]

POWER: Final = 0.8  # chance of acceptance of an equal candidate, where the margin can be shown
_UNSEEN: Final = 0.05  # chance that the largest drop passes


def can_show_margin(standard_error: float, spec: GateSpec) -> bool:
    """Return whether non-inferiority by `gate.margin` would accept most equal candidates."""
    z = norm.ppf(1 - spec.alpha) + norm.ppf(POWER)
    return bool(z * standard_error <= spec.margin)


def tolerated_drop(standard_error: float, spec: GateSpec) -> float:
    """Return the largest drop of the score that `gate.inconclusive: tolerate` accepts."""
    by_chance = float(norm.ppf(1 - spec.alpha)) * standard_error
    return max(min(max(spec.margin, by_chance), spec.max_drop), 0.0)


def describe_power(standard_error: float, spec: GateSpec, metric: str) -> CanShow:
    """Return what a comparison with this standard error, which is positive, can show."""
    accepted = _accepted_drop(standard_error, spec)
    return CanShow(
        metric=metric,
        standard_error=standard_error,
        equal_accepted=float(norm.cdf(accepted / standard_error)),
        largest_drop=float(max(accepted + norm.ppf(1 - _UNSEEN) * standard_error, 0.0)),
    )


def measure_equal_error(
    labels: SearchedLabels, candidate: int, y_pred: Array, groups: Array, spec: PairedSpec
) -> float | None:
    """Return the standard error of the metric's difference between two equal retrainings.

    The candidate was fitted to the folds of the search and to those of the cross-fitted evaluation;
    both predicted the training rows, by models that had not seen their groups.

    Parameters
    ----------
    candidate
        Its position in the labels of the search.
    y_pred, groups
        Cross-fitted labels and groups of the training rows, shape (n_rows,).

    Returns
    -------
    standard_error
        None where the metric is not one of labels.
    """
    before = labels.y_pred[candidate].astype(np.int64)
    has_both = before >= 0
    if not has_both.any():
        return None
    pair = before[has_both], y_pred[has_both]
    names = tuple(str(n) for n in range(labels.n_classes))
    counts = count_pair(names, labels.y_true[has_both], pair, groups[has_both])
    return compare_counts(counts, spec).standard_error


def _accepted_drop(standard_error: float, spec: GateSpec) -> float:
    """Return T: a difference of -T or more is accepted, whatever rule decides."""
    bound = float(norm.ppf(1 - spec.alpha)) * standard_error
    if spec.rule == "superiority":
        return -bound
    if not can_show_margin(standard_error, spec):
        if spec.inconclusive == "tolerate":
            return max(tolerated_drop(standard_error, spec), spec.margin - bound)
        if spec.inconclusive == "warn":
            return spec.margin
    return spec.margin - bound
