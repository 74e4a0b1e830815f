"""Confidence intervals of scores, by a bootstrap over groups.

How it works
------------
1. Rows of one group are not independent, so whole groups are resampled, class by class.
2. Scores of predicted labels are functions of three counts per class: rows of the class, rows
   predicted as the class, and hits (correctly predicted rows).  The counts are summed by group
   once, and each resample is a weighted sum of the groups' counts.
3. Log loss and Brier loss are means of the rows' losses.  For ROC-AUC, each row has an influence: a
   number that says how much the row raises or lowers the metric.  Losses or influences are summed
   by group and resampled in the same way.
4. The bounds are BCa bounds with quantiles of Student's t; the score is between them.  If all
   resamples have the same score, the bounds are computed from the number of groups alone.
5. In a cross-fitted evaluation, scores of labels have Jeffreys' interval instead of BCa bounds.
"""

from __future__ import annotations

from typing import Final, TypeGuard

import numpy as np

from job.contracts.arrays import Array
from job.contracts.metric_kinds import InfluenceMetric, MetricDefinition, RowMetric, WholeMetric
from job.contracts.metrics import METRICS
from job.contracts.reports.intervals import NOT_COVERED, Interval, IntervalReport
from job.stages.metrics.confidence_bounds import (
    MIN_GROUPS,
    interval_or_count_bound,
    jeffreys_bounds,
)
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.label_metrics import (
    LabelScores,
    count_columns,
    count_effective_groups,
    count_groups,
)
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import KnownRows
from job.stages.metrics.search_metric import measure_rows

_HELD_OUT: Final = "bootstrap over groups, stratified by class; BCa ends with Student's t"
_CROSS_FITTED: Final = (
    "scores of labels: Jeffreys' interval of a share, of as many trials as there are effective "
    "groups; others: bootstrap over groups, stratified by class; BCa ends with Student's t"
)
_Intervals = dict[str, Interval]  # by score


def compute_intervals(
    predictions: Predictions, bootstrap: GroupBootstrap, *, is_cross_fitted: bool = False
) -> IntervalReport:
    """Compute the intervals of every score of labels, of the losses and of the mean ROC-AUC.

    Cross-fitted scores also vary with the training rows, which all groups of a fold share.  If most
    groups are predicted correctly, a bootstrap over groups reflects neither this variation nor rare
    errors.  Therefore cross-fitted scores of labels have Jeffreys' interval of a share, with the
    effective number of groups as the number of trials.

    Parameters
    ----------
    bootstrap
        The bootstrap over the groups of these rows.
    """
    bootstrap = bootstrap.restarted()
    scores, per_class = compute_label_intervals(
        predictions, bootstrap, is_cross_fitted=is_cross_fitted
    )
    scores |= _compute_row_intervals(predictions, bootstrap)
    return IntervalReport(
        method=_CROSS_FITTED if is_cross_fitted else _HELD_OUT,
        level=bootstrap.level,
        n_resamples=bootstrap.n_resamples,
        n_rows=len(bootstrap.groups),
        n_groups=bootstrap.n_groups,
        not_covered=_list_uncovered(),
        absent=_explain_absent(scores, bootstrap.take(predictions.has_known_class).n_groups),
        scores=scores,
        per_class=per_class,
    )


def compute_label_intervals(
    predictions: Predictions, bootstrap: GroupBootstrap, *, is_cross_fitted: bool = False
) -> tuple[_Intervals, dict[str, _Intervals]]:
    """Compute the intervals of scores of labels.

    The first result has the intervals of averaged scores.  The second has the intervals of each
    class's scores, by the name of the class.
    """
    classes, y_true, y_pred = predictions.classes, predictions.y_true, predictions.y_pred
    columns = count_columns(y_true, y_pred, len(classes))
    group_sums = bootstrap.count(columns, 3 * len(classes))
    label_scores = LabelScores(group_sums.total)
    point = label_scores.measure(group_sums.total)[0]
    if bootstrap.n_groups < MIN_GROUPS:
        bounds = np.stack([point, point])  # so the number of groups determines the bounds
    elif is_cross_fitted:
        counts = count_effective_groups(bootstrap.groups, y_true, y_pred, len(classes))
        n_effective = label_scores.count_effective_groups(*counts)
        bounds = _jeffreys_bounds(point, label_scores.minima, n_effective, bootstrap.alpha)
    else:
        bounds = bootstrap.measure(group_sums, label_scores.measure).bounds()
    n_groups = label_scores.count_effective_groups(
        *count_groups(bootstrap.groups, y_true, y_pred, len(classes))
    )
    scores: _Intervals = {}
    per_class: dict[str, _Intervals] = {name: {} for name in classes}
    for column, (name, number) in enumerate(label_scores.names):
        intervals = scores if number is None else per_class[classes[number]]
        intervals[name] = interval_or_count_bound(
            point[column],
            *bounds[:, column],
            n_groups=n_groups[column],
            alpha=bootstrap.alpha,
            minimum=label_scores.minima[column],
        )
    return scores, per_class


def _jeffreys_bounds(point: Array, minima: Array, n_effective: Array, alpha: float) -> Array:
    """Return Jeffreys' bounds of scores, each of which has the range [minimum, 1].

    A score is rescaled to [0, 1] and treated as a share of `n_effective` trials.
    """
    ranges = 1.0 - minima
    return minima + ranges * jeffreys_bounds((point - minima) / ranges, n_effective, alpha)


def _compute_row_intervals(predictions: Predictions, bootstrap: GroupBootstrap) -> _Intervals:
    """Compute the intervals of metrics of probabilities.

    Only rows whose true class is one of the model's classes are used.
    """
    rows = KnownRows(predictions)
    bootstrap = bootstrap.take(predictions.has_known_class)
    if bootstrap.n_groups < MIN_GROUPS:
        return {}
    metrics = [metric for metric in METRICS.values() if _has_row_values(metric)]
    scores, values = zip(*(measure_rows(rows, metric) for metric in metrics), strict=True)
    measured = bootstrap.measure(
        bootstrap.sum(np.stack([np.ones(len(rows)), *values], axis=1)),
        lambda sums: sums[:, 1:] / sums[:, :1],
    )
    intervals = {}
    for metric, score, mean, (low, high) in zip(
        metrics, scores, measured.point, measured.bounds().T, strict=True
    ):
        if isinstance(metric, RowMetric):
            intervals[metric.name] = _interval(mean, max(low, min(mean, 0.0)), high)
        elif not np.isnan(score):
            intervals[metric.name] = interval_or_count_bound(
                score,
                score + low,
                min(score + high, 1.0),
                n_groups=bootstrap.n_groups,
                alpha=bootstrap.alpha,
            )
    for negative in METRICS.values():
        if isinstance(negative, RowMetric) and negative.negates is not None:
            loss = intervals[negative.negates]
            intervals[negative.name] = _interval(-loss.value, -loss.upper, -loss.lower)
    return intervals


def _has_row_values(metric: MetricDefinition) -> TypeGuard[RowMetric | InfluenceMetric]:
    """Return whether the interval of a metric is computed from a loss or influence of each row.

    The negative of another metric uses the interval of that metric instead.
    """
    return isinstance(metric, RowMetric | InfluenceMetric) and not metric.is_negative


def _interval(value: float, low: float, high: float) -> Interval:
    return Interval(value=float(value), lower=float(low), upper=float(high))


def _explain_absent(intervals: _Intervals, n_known_groups: int) -> dict[str, str]:
    """Return why scores have no interval, by score; `n_known_groups` have rows of known classes."""
    reasons = {}
    for name, metric in METRICS.items():
        if name in intervals:
            continue
        if isinstance(metric, WholeMetric):
            reasons[name] = "it is computed from all rows together"
        elif n_known_groups < MIN_GROUPS:
            reasons[name] = f"fewer than {MIN_GROUPS} groups have a known class"
        else:
            reasons[name] = "it is not defined for these rows"
    return reasons


def _list_uncovered() -> tuple[str, ...]:
    """Return the scores that have no intervals because they are not functions of group sums."""
    whole = [name for name, metric in METRICS.items() if isinstance(metric, WholeMetric)]
    return (*NOT_COVERED, *(name for name in whole if name not in NOT_COVERED))
