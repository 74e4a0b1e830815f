"""How sure the scores of a hold-out are: a bootstrap over its groups."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.contracts.reports.intervals import Interval, IntervalReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.metrics.confidence_bounds import (
    MIN_GROUPS,
    bootstrap,
    interval_or_count_bound,
    share_ends,
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
_Named = list[tuple[str, Interval]]


def find_intervals(
    found: Predictions,
    groups: Array,
    spec: EvaluationSpec,
    random_state: int,
    *,
    is_cross_fitted: bool = False,
) -> IntervalReport:
    """Return the interval of every score of labels, of the losses and of the mean ROC-AUC.

    Cross-fitted scores vary with the training tables, too, which all groups of a fold share, and
    where most groups are right a bootstrap of them sees neither that nor rare errors.  Scores of
    labels then have Jeffreys' interval of a share, of as many trials as there are effective groups:
    as if all rows of a group were right or wrong together.

    Parameters
    ----------
    groups
        Number of each row's group, shape (n_rows,).
    """
    rng = np.random.default_rng(random_state)
    scores, per_class = of_labels(found, groups, spec, rng, is_cross_fitted=is_cross_fitted)
    scores += _of_rows(found, groups, spec, rng)
    return IntervalReport(
        method=_CROSS_FITTED if is_cross_fitted else _HELD_OUT,
        level=spec.confidence,
        n_resamples=spec.resamples,
        n_rows=len(groups),
        n_groups=len(np.unique(groups)),
        scores=tuple(sorted(scores, key=lambda named: named[0])),
        per_class=tuple((name, tuple(some)) for name, some in per_class.items()),
    )


def of_labels(
    found: Predictions,
    groups: Array,
    spec: EvaluationSpec,
    rng: np.random.Generator,
    *,
    is_cross_fitted: bool = False,
) -> tuple[_Named, dict[str, _Named]]:
    """Return the intervals of averaged scores, and of those of each class."""
    n_classes = len(found.classes)
    cells = count_columns(found.y_true, found.y_pred, n_classes)
    group_sums = count_by_group(groups, found.y_true, cells, 3 * n_classes)
    label_scores = LabelScores(group_sums.total)
    tail = (1 - spec.confidence) / 2
    if is_cross_fitted:
        point = label_scores.measure(group_sums.total)[0]
        counts = count_effective_groups(groups, found.y_true, found.y_pred, n_classes)
        bounds = share_ends(point, label_scores.count_effective_groups(*counts), tail)
    else:
        point, bounds = bootstrap(group_sums, label_scores.measure, spec.resamples, rng, tail)
    n_groups = label_scores.count_effective_groups(
        *count_groups(groups, found.y_true, found.y_pred, n_classes)
    )
    if group_sums.n_groups < MIN_GROUPS:
        bounds = np.stack([point, point])  # their number says more than they do
    scores: _Named = []
    per_class: dict[str, _Named] = {name: [] for name in found.classes}
    for column, (name, number) in enumerate(label_scores.names):
        low, high = bounds[:, column]
        interval = interval_or_count_bound(
            point[column], low, high, n_groups=n_groups[column], tail=tail
        )
        (scores if number is None else per_class[found.classes[number]]).append((name, interval))
    return scores, per_class


def _of_rows(
    found: Predictions, groups: Array, spec: EvaluationSpec, rng: np.random.Generator
) -> _Named:
    """Take the rows whose class the model knows."""
    has_known_class = found.has_known_class
    if not has_known_class.any():
        return []
    some = found.take(has_known_class)
    area, shares = roc_auc_influences(some)
    values = np.stack([log_losses(some), brier_losses(some), shares], axis=1)
    group_sums = sum_by_group(
        groups[has_known_class], some.y_true, np.insert(values, 0, 1.0, axis=1)
    )
    if group_sums.n_groups < MIN_GROUPS:
        return []
    tail = (1 - spec.confidence) / 2
    (loss, brier, _), (low, high) = bootstrap(
        group_sums, lambda sums: sums[:, 1:] / sums[:, :1], spec.resamples, rng, tail
    )
    scores = [
        ("log_loss", _interval(loss, low[0], high[0])),
        ("neg_log_loss", _interval(-loss, -high[0], -low[0])),
        ("brier", _interval(brier, low[1], high[1])),
    ]
    if not np.isnan(area):
        ends_of_area = area + low[2], min(area + high[2], 1.0)
        found_area = interval_or_count_bound(
            area, *ends_of_area, n_groups=group_sums.n_groups, tail=tail
        )
        scores.append(("roc_auc_ovr", found_area))
    return scores


def _interval(value: float, low: float, high: float) -> Interval:
    return Interval(value=float(value), lower=float(low), upper=float(high))
