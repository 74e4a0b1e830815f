"""Choose the minimum confidence of an answer, and measure on other rows what this threshold does.

How it works
------------
1. A row is answered if its highest predicted probability reaches the threshold.  Coverage is the
   share of answered rows, and precision is the share of correct answers.
2. Candidate thresholds are quantiles of the confidence.  For each, the one-sided lower confidence
   bound of the precision is computed.  Rows of a group are dependent, so the bound uses an
   effective sample size.
3. The lowest threshold whose bound reaches the target is chosen.  If no bound does, there is no
   threshold.  No threshold is needed if, with all rows answered, both the overall precision and the
   precision of each predicted class are shown to reach the target.
4. On rows that the threshold was not chosen on, coverage and precision get confidence intervals by
   a bootstrap over groups.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.stats import beta, norm
from scipy.stats import t as student

from job.contracts.arrays import Array
from job.contracts.messages import pluralize
from job.contracts.reports.decision_threshold import Decision, Threshold
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.stages.metrics.confidence_bounds import interval_or_count_bound
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions

_TEMPLATES: Final = (
    "Most rows come from sentence templates, which do not show how confident the model can be "
    "about requests in people's own words."
)
_N_THRESHOLDS: Final = 101
_DIGITS: Final = 6


def choose_threshold(
    predictions: Predictions,
    groups: Array,
    spec: DecisionSpec,
    evaluation: EvaluationSpec,
    *,
    is_templated: bool = False,
) -> Threshold:
    """Return the lowest threshold whose answers are shown to reach the target precision.

    The precision is shown to reach the target if its one-sided lower bound, at the level
    `evaluation.confidence`, reaches the target.  The measured precision would be too optimistic,
    because the threshold is the best of many.

    Parameters
    ----------
    predictions
        Predictions of rows that the model was not fitted to.
    groups
        Group id of each row, shape (n_rows,).
    spec
        Settings of the threshold; must have a target precision.
    is_templated
        Whether most rows come from sentence templates.  If so, no threshold is chosen, because
        the precision on templates does not show the precision on what people write.
    """
    assert spec.target_precision is not None
    _, group_of_row = np.unique(groups, return_inverse=True)
    n_groups = int(group_of_row.max(initial=-1)) + 1
    not_shown = Threshold(
        target_precision=spec.target_precision,
        value=None,
        status="not_shown",
        reason=_explain_absence(spec.target_precision, evaluation.confidence, n_groups),
        n_rows=len(groups),
        n_groups=n_groups,
    )
    if is_templated:
        return replace(not_shown, status="templates", reason=_TEMPLATES)
    return _find_lowest(not_shown, predictions, group_of_row, 1 - evaluation.confidence)


def _find_lowest(
    not_shown: Threshold, predictions: Predictions, group_of_row: Array, alpha: float
) -> Threshold:
    """Return the lowest threshold whose precision is shown to be enough, or else `not_shown`."""
    target = not_shown.target_precision
    max_proba, is_right = predictions.proba.max(axis=1), predictions.y_pred == predictions.y_true
    thresholds = np.quantile(max_proba, np.linspace(0, 1, _N_THRESHOLDS))[:-1]
    thresholds = np.unique([0.0, *np.floor(thresholds[1:] * 10**_DIGITS) / 10**_DIGITS])
    bounds = _lower_bounds(max_proba, is_right, group_of_row, thresholds, alpha)
    if bounds[0] >= target and _is_shown_by_class(predictions, group_of_row, target, alpha):
        reason = (
            "The answers overall, and those of each class, are shown to reach a precision of "
            f"{target:.0%}."
        )
        return replace(not_shown, status="not_needed", reason=reason)
    shown = thresholds[(bounds >= target) & (thresholds > 0)]
    if not len(shown):
        return not_shown
    reason = (
        "It is the lowest confidence at which answers are shown to reach a precision of "
        f"{target:.0%}."
    )
    return replace(not_shown, value=float(shown[0]), status="chosen", reason=reason)


def _explain_absence(target: float, confidence: float, n_groups: int) -> str:
    """Explain why no threshold is shown to reach the target.

    Even without errors, the number of groups must satisfy target ** n_groups <= 1 - confidence.
    """
    n_needed = math.ceil(math.log(1 - confidence) / math.log(target))
    if n_groups < n_needed:
        return (
            f"{pluralize(n_groups, 'group')} cannot show a precision of {target:.0%} with "
            f"{confidence:.0%} confidence: at least {n_needed} are needed, without any error."
        )
    return f"The answers are not shown to reach a precision of {target:.0%} at any confidence."


def _is_shown_by_class(
    predictions: Predictions, group_of_row: Array, target: float, alpha: float
) -> bool:
    """Return whether the precision of each predicted class is shown to reach the target."""
    y_pred, is_right = predictions.y_pred, predictions.y_pred == predictions.y_true
    for number in predictions.model_classes:
        index = np.flatnonzero(y_pred == number)
        if not len(index):
            return False
        is_answered = np.ones(len(index))
        groups = np.unique(group_of_row[index], return_inverse=True)[1]
        if _lower_bounds(is_answered, is_right[index], groups, np.zeros(1), alpha)[0] < target:
            return False
    return True


def _lower_bounds(
    max_proba: Array, is_right: Array, groups: Array, thresholds: Array, alpha: float
) -> Array:
    """Return the one-sided lower confidence bound of the precision at each threshold.

    Rows of a group are dependent.  The bound is Clopper and Pearson's with the effective sample
    size: the number of independent rows that would have the same variance (Korn and Graubard 1998).
    This size is reduced if few groups contribute most of the variance.  If the variance is zero,
    the size is the number of groups.
    """
    estimates = np.array(
        [_estimate_share(is_right[max_proba >= t], groups[max_proba >= t]) for t in thresholds]
    )
    share, n, freedom = estimates.T
    n = n * (norm.ppf(alpha) / student.ppf(alpha, freedom)) ** 2
    bounds: Array = beta.ppf(alpha, share * n, (1 - share) * n + 1)
    return np.where(share > 0, bounds, 0.0)


def _estimate_share(is_right: Array, groups: Array) -> tuple[float, float, float]:
    """Return the share of correct rows, the effective sample size and the degrees of freedom."""
    sizes, share = np.bincount(groups), float(is_right.mean())
    squares = np.square((np.bincount(groups, is_right) - share * sizes) / len(is_right))
    variance = float(squares.sum())
    if not variance:
        return share, float((sizes > 0).sum()), np.inf
    n = min(share * (1 - share) / variance, len(is_right))
    return share, n, 2 * variance**2 / float(np.square(squares).sum())


def measure_abstention(
    predictions: Predictions,
    bootstrap: GroupBootstrap,
    threshold: Threshold,
    *,
    least: Array | None = None,
) -> Decision:
    """Measure coverage and precision of a threshold on rows that it was not chosen on.

    Parameters
    ----------
    bootstrap
        The bootstrap over the groups of these rows.
    least
        The minimum confidence at which each row is answered, shape (n_rows,); if None, `threshold`
        applies to all rows.  In a cross-fitted evaluation, it is the threshold chosen without the
        row's fold, or infinity if no threshold was shown to reach the target.
    """
    groups = bootstrap.groups
    value = 0.0 if threshold.status == "not_needed" else threshold.value
    if value is None:
        return Decision.of(threshold, n_rows=len(groups))
    is_answered = predictions.proba.max(axis=1) >= (value if least is None else least)
    is_right = is_answered & (predictions.y_pred == predictions.y_true)
    values = np.stack([np.ones(len(groups)), is_answered, is_right], axis=1)
    bootstrap = bootstrap.restarted()
    measured = bootstrap.measure(bootstrap.sum(values), _compute_coverage_and_precision)
    n_groups = (bootstrap.n_groups, len(np.unique(groups[is_answered])))
    coverage, precision = (
        interval_or_count_bound(value, *limits, n_groups=n, alpha=bootstrap.alpha)
        for value, limits, n in zip(measured.point, measured.bounds().T, n_groups, strict=True)
    )
    return Decision.of(
        threshold,
        n_rows=len(groups),
        n_answered=int(is_answered.sum()),
        coverage=coverage,
        precision=precision if is_answered.any() else None,
    )


def choose_thresholds_by_fold(
    predictions: Predictions,
    groups: Array,
    fold: Array,
    spec: DecisionSpec,
    evaluation: EvaluationSpec,
) -> Array:
    """Return each row's threshold, shape (n_rows,), chosen on the folds without the row.

    A row's threshold is 0 if none is needed, and infinite if none is shown to reach the target.
    """
    thresholds = np.full(len(fold), np.inf)
    for number in np.unique(fold):
        is_other = fold != number
        chosen = choose_threshold(predictions.take(is_other), groups[is_other], spec, evaluation)
        if chosen.status == "not_needed":
            thresholds[~is_other] = 0.0
        elif chosen.value is not None:
            thresholds[~is_other] = chosen.value
    return thresholds


def _compute_coverage_and_precision(sums: Array) -> Array:
    """Return coverage and precision of n resamples, shape (n, 2).

    `sums` has shape (n, 3): numbers of rows, of answers and of correct answers.
    """
    n_rows, n_answered, n_right = sums.T
    precision = np.divide(n_right, n_answered, out=np.zeros(len(sums)), where=n_answered > 0)
    return np.stack([n_answered / n_rows, precision], axis=1)
