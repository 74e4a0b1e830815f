"""Choose how sure a model must be to answer, and measure it on rows that did not choose."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from scipy.stats import beta, norm
from scipy.stats import t as student

from job.contracts.messages import pluralize
from job.contracts.reports.decision_threshold import AbstentionReport, Threshold, ThresholdStatus
from job.contracts.reports.intervals import Interval
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.stages.metrics.confidence_bounds import bootstrap, interval_or_count_bound
from job.stages.metrics.group_bootstrap import sum_by_group
from job.stages.metrics.predictions import Predictions

Array = np.ndarray[Any, Any]
_TEMPLATES: Final = (
    "Most rows come from sentence templates, which are no evidence of how sure the model may be of "
    "requests in people's own words."
)
_N_TRIED: Final = 101
_DIGITS: Final = 6


def choose_threshold(
    found: Predictions,
    groups: Array,
    spec: DecisionSpec,
    evaluation: EvaluationSpec,
    *,
    is_templated: bool = False,
) -> Threshold:
    """Return the least threshold at which the answers' precision is shown to reach the target.

    Shown means by its one-sided lower bound of `evaluation.confidence`: the best point value of
    many thresholds would promise too much.

    Parameters
    ----------
    found
        Of rows that the model which speaks of them was not fitted to.
    spec
        Has a target.
    is_templated
        Whether most rows come from sentence templates: groups of one generator are no independent
        evidence of what people write, so none is chosen.
    """
    assert spec.target_precision is not None
    target, tail = spec.target_precision, 1 - evaluation.confidence
    sure, is_right = found.proba.max(axis=1), found.y_pred == found.y_true
    _, group_of_row = np.unique(groups, return_inverse=True)
    tried = np.quantile(sure, np.linspace(0, 1, _N_TRIED))[:-1]
    tried = np.unique([0.0, *np.floor(tried[1:] * 10**_DIGITS) / 10**_DIGITS])
    bounds = _lower_bounds(sure, is_right, group_of_row, tried, tail)
    n_groups = int(group_of_row.max(initial=-1)) + 1
    value: float | None = None
    status: ThresholdStatus = "not_shown"
    reason = _explain_absence(target, evaluation.confidence, n_groups)
    shown = tried[(bounds >= target) & (tried > 0)]
    if is_templated:
        status, reason = "templates", _TEMPLATES
    elif bounds[0] >= target and _is_shown_by_class(found, group_of_row, target, tail):
        status = "not_needed"
        reason = f"All answers, and those of each class, are shown to reach {target:.0%}."
    elif len(shown):
        value, status = float(shown[0]), "chosen"
        reason = f"It is the least confidence at which answers are shown to reach {target:.0%}."
    return Threshold(
        target_precision=target,
        value=value,
        status=status,
        reason=reason,
        n_rows=len(sure),
        n_groups=n_groups,
    )


def _explain_absence(target: float, confidence: float, n_groups: int) -> str:
    """Say why no threshold is shown; without any error, 1 - confidence = target ** n groups."""
    n_needed = math.ceil(math.log(1 - confidence) / math.log(target))
    if n_groups < n_needed:
        return (
            f"{pluralize(n_groups, 'group')} cannot show {target:.0%} with {confidence:.0%} "
            f"confidence: that takes at least {n_needed}, without any error."
        )
    return f"At no confidence are the answers shown to reach {target:.0%}."


def _is_shown_by_class(found: Predictions, group_of_row: Array, target: float, tail: float) -> bool:
    """Return whether the answers of each class are shown to reach the target."""
    y_pred, is_right = found.y_pred, found.y_pred == found.y_true
    for number in found.known:
        taken = np.flatnonzero(y_pred == number)
        if not len(taken):
            return False
        everything = np.ones(len(taken))
        some = np.unique(group_of_row[taken], return_inverse=True)[1]
        if _lower_bounds(everything, is_right[taken], some, np.zeros(1), tail)[0] < target:
            return False
    return True


def _lower_bounds(sure: Array, is_right: Array, groups: Array, tried: Array, tail: float) -> Array:
    """Return the lower bound of the answers' precision at each threshold.

    Rows hang together in groups.  The bound is Clopper and Pearson's, of as many rows as would vary
    so much if none hung together (Korn and Graubard 1998), fewer where the variance hangs on few
    groups; where nothing varies, of as many as there are groups.
    """
    found = np.array([_share_and_size(is_right[sure >= t], groups[sure >= t]) for t in tried])
    share, n, freedom = found.T
    n = n * (norm.ppf(tail) / student.ppf(tail, freedom)) ** 2
    bounds: Array = beta.ppf(tail, share * n, (1 - share) * n + 1)
    return np.where(share > 0, bounds, 0.0)


def _share_and_size(is_right: Array, groups: Array) -> tuple[float, float, float]:
    """Return the share that is right, as how many rows it counts, and its degrees of freedom."""
    sizes, share = np.bincount(groups), float(is_right.mean())
    squares = np.square((np.bincount(groups, is_right) - share * sizes) / len(is_right))
    variance = float(squares.sum())
    if not variance:
        return share, float((sizes > 0).sum()), np.inf
    n = min(share * (1 - share) / variance, len(is_right))
    return share, n, 2 * variance**2 / float(np.square(squares).sum())


def measure_abstention(
    found: Predictions,
    groups: Array,
    threshold: Threshold,
    spec: EvaluationSpec,
    random_state: int,
    *,
    least: Array | None = None,
) -> AbstentionReport:
    """Measure coverage and precision of a threshold on other rows, by a bootstrap over groups.

    Parameters
    ----------
    least
        The threshold of each row, shape (n_rows,), infinite where none was shown: in a
        cross-fitted evaluation the one that was chosen without the row's fold.
    """
    value = 0.0 if threshold.status == "not_needed" else threshold.value
    if value is None:
        return AbstentionReport(
            threshold=threshold, n_rows=len(groups), n_answered=0, coverage=None, precision=None
        )
    is_answered = found.proba.max(axis=1) >= (value if least is None else least)
    is_right = is_answered & (found.y_pred == found.y_true)
    values = np.stack([np.ones(len(groups)), is_answered, is_right], axis=1)
    group_sums, rng = (
        sum_by_group(groups, found.y_true, values),
        np.random.default_rng(random_state),
    )
    tail = (1 - spec.confidence) / 2
    point, bounds = bootstrap(group_sums, _shares, spec.resamples, rng, tail)
    n_groups = (group_sums.n_groups, len(np.unique(groups[is_answered])))
    coverage, precision = (
        interval_or_count_bound(value, *ends_of, n_groups=n, tail=tail)
        for value, ends_of, n in zip(point, bounds.T, n_groups, strict=True)
    )
    return AbstentionReport(
        threshold=threshold,
        n_rows=len(groups),
        n_answered=int(is_answered.sum()),
        coverage=_within(coverage),
        precision=_within(precision) if is_answered.any() else None,
    )


def choose_across(
    found: Predictions, groups: Array, fold: Array, spec: DecisionSpec, evaluation: EvaluationSpec
) -> Array:
    """Return the threshold that each row's fold gets from the other folds, shape (n_rows,).

    It is 0 where none is needed, and infinite where none is shown.
    """
    least = np.full(len(fold), np.inf)
    for number in np.unique(fold):
        others = fold != number
        chosen = choose_threshold(found.take(others), groups[others], spec, evaluation)
        if chosen.status == "not_needed":
            least[~others] = 0.0
        elif chosen.value is not None:
            least[~others] = chosen.value
    return least


def _shares(sums: Array) -> Array:
    """Return coverage and precision of sums of rows, answers and right answers."""
    n_rows, n_answered, n_right = sums.T
    precision = np.divide(n_right, n_answered, out=np.zeros(len(sums)), where=n_answered > 0)
    return np.stack([n_answered / n_rows, precision], axis=1)


def _within(found: Interval) -> Interval:
    """Keep the ends within what a share can be; weights of strata may round past it."""
    bounds = (min(max(end, 0.0), 1.0) for end in (found.lower, found.upper))
    lower, upper = bounds
    return Interval(value=found.value, lower=lower, upper=upper, is_by_count=found.is_by_count)
