"""Confidence intervals of scores, by a bootstrap over groups.

How it works
------------
1. Rows of one group are not independent, so whole groups are resampled, class by class.
2. Scores of labels are functions of counts (rows of a class, rows predicted as it, hits). The
   counts are summed by group once, and each resample is a weighted sum of them.
3. Losses and ROC-AUC are means over rows: the loss, or the row's influence on the AUC.
4. The bounds are BCa bounds with quantiles of Student's t. If no resample differs from the whole,
   the number of groups alone gives the bound.
5. Scores of labels of a cross-fitted evaluation have Jeffreys' interval instead.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.contracts.reports.intervals import Interval, IntervalReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.metrics.confidence_bounds import (
    MIN_GROUPS,
    bootstrap,
    interval_or_count_bound,
    jeffreys_bounds,
)
from job.stages.metrics.group_bootstrap import count_by_group, sum_by_group
from job.stages.metrics.label_metrics import (
    LabelScores,
    count_columns,
    count_effective_groups,
    count_groups,
)
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import brier_losses, log_losses, roc_auc_influences

Array = np.ndarray[Any, Any]
_HELD_OUT: Final = "bootstrap over groups, stratified by class; BCa ends with Student's t"
_CROSS_FITTED: Final = (
    "scores of labels: Jeffreys' interval of a share, of as many trials as there are effective "
    "groups; others: bootstrap over groups, stratified by class; BCa ends with Student's t"
)
_NamedIntervals = list[tuple[str, Interval]]


def compute_intervals(
    predictions: Predictions,
    groups: Array,
    spec: EvaluationSpec,
    random_state: int,
    *,
    is_cross_fitted: bool = False,
) -> IntervalReport:
    """Compute the interval of every score of labels, of the losses and of the mean ROC-AUC.

    Cross-fitted scores also vary with the training rows, which all groups of a fold share. If most
    groups are right, a bootstrap over groups reflects neither that nor rare errors. Scores of
    labels then have Jeffreys' interval of a share, with as many trials as there are effective
    groups: as if all rows of a group were right or wrong together.

    Parameters
    ----------
    groups
        Group of each row, numbered from 0, shape (n_rows,).
    """
    rng = np.random.default_rng(random_state)
    scores, per_class = compute_label_intervals(
        predictions, groups, spec, rng, is_cross_fitted=is_cross_fitted
    )
    scores += _compute_row_intervals(predictions, groups, spec, rng)
    return IntervalReport(
        method=_CROSS_FITTED if is_cross_fitted else _HELD_OUT,
        level=spec.confidence,
        n_resamples=spec.resamples,
        n_rows=len(groups),
        n_groups=len(np.unique(groups)),
        scores=dict(scores),
        per_class={name: dict(intervals) for name, intervals in per_class.items()},
    )


def compute_label_intervals(
    predictions: Predictions,
    groups: Array,
    spec: EvaluationSpec,
    rng: np.random.Generator,
    *,
    is_cross_fitted: bool = False,
) -> tuple[_NamedIntervals, dict[str, _NamedIntervals]]:
    """Compute the intervals of averaged scores, and of the scores of each class."""
    n_classes = len(predictions.classes)
    y_true, y_pred = predictions.y_true, predictions.y_pred
    columns = count_columns(y_true, y_pred, n_classes)
    group_sums = count_by_group(groups, y_true, columns, 3 * n_classes)
    label_scores = LabelScores(group_sums.total)
    alpha = (1 - spec.confidence) / 2
    if is_cross_fitted:
        point = label_scores.measure(group_sums.total)[0]
        counts = count_effective_groups(groups, y_true, y_pred, n_classes)
        bounds = jeffreys_bounds(point, label_scores.count_effective_groups(*counts), alpha)
    else:
        point, bounds = bootstrap(group_sums, label_scores.measure, spec.resamples, rng, alpha)
    n_groups = label_scores.count_effective_groups(*count_groups(groups, y_true, y_pred, n_classes))
    if group_sums.n_groups < MIN_GROUPS:
        bounds = np.stack([point, point])  # so that the number of groups gives the bound
    scores: _NamedIntervals = []
    per_class: dict[str, _NamedIntervals] = {name: [] for name in predictions.classes}
    for column, (name, number) in enumerate(label_scores.names):
        low, high = bounds[:, column]
        interval = interval_or_count_bound(
            point[column], low, high, n_groups=n_groups[column], alpha=alpha
        )
        intervals = scores if number is None else per_class[predictions.classes[number]]
        intervals.append((name, interval))
    return scores, per_class


def _compute_row_intervals(
    predictions: Predictions, groups: Array, spec: EvaluationSpec, rng: np.random.Generator
) -> _NamedIntervals:
    """Compute the intervals of the losses and of ROC-AUC, on rows whose class the model knows."""
    has_known_class = predictions.has_known_class
    if not has_known_class.any():
        return []
    predictions = predictions.take(has_known_class)
    area, influences = roc_auc_influences(predictions)
    values = np.stack([log_losses(predictions), brier_losses(predictions), influences], axis=1)
    group_sums = sum_by_group(
        groups[has_known_class], predictions.y_true, np.insert(values, 0, 1.0, axis=1)
    )
    if group_sums.n_groups < MIN_GROUPS:
        return []
    alpha = (1 - spec.confidence) / 2
    (loss, brier, _), (low, high) = bootstrap(
        group_sums, lambda sums: sums[:, 1:] / sums[:, :1], spec.resamples, rng, alpha
    )
    scores = [
        ("log_loss", _interval(loss, low[0], high[0])),
        ("neg_log_loss", _interval(-loss, -high[0], -low[0])),
        ("brier", _interval(brier, low[1], high[1])),
    ]
    if not np.isnan(area):
        area_bounds = area + low[2], min(area + high[2], 1.0)
        area_interval = interval_or_count_bound(
            area, *area_bounds, n_groups=group_sums.n_groups, alpha=alpha
        )
        scores.append(("roc_auc_ovr", area_interval))
    return scores


def _interval(value: float, low: float, high: float) -> Interval:
    return Interval(value=float(value), lower=float(low), upper=float(high))
