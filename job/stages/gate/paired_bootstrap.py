"""Paired bootstrap: the difference of two models' scores on the same rows, with its interval.

How it works
------------
1. The rows of each group are counted by class and by the predictions of both models
   (`PairedCounts`). Metrics of labels follow from sums of these counts.
2. Whole groups are resampled, class by class, the same groups for both models, and the difference
   of the scores is computed for each resample.
3. Each end of the interval is a one-sided BCa bound at `alpha`.
4. The changes of the classes' recalls have max-T intervals, which hold for all classes at once.
5. Log loss and ROC-AUC are computed from row values: the row's loss, or its influence on the AUC,
   is summed by group and resampled likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from job.contracts.metrics import Metric
from job.contracts.reports.comparison import RecallChange
from job.contracts.reports.intervals import Interval
from job.contracts.settings.gate import PairedSpec
from job.stages.metrics.confidence_bounds import (
    bca_bounds,
    interval_or_count_bound,
    max_t_critical_value,
)
from job.stages.metrics.group_bootstrap import (
    GroupSums,
    count_by_group,
    leave_one_out,
    resample,
    sum_by_group,
)
from job.stages.metrics.label_metrics import (
    AVERAGED,
    LabelScores,
    count_groups,
    paired_count_columns,
)
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import log_losses, roc_auc_influences

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Candidate less champion, with the standard error over resamples of the groups.

    None if the metric is undefined on these rows.
    """

    champion_score: float | None = None
    candidate_score: float | None = None
    interval: Interval | None = None
    standard_error: float | None = None
    recalls: Mapping[str, RecallChange] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedCounts:
    """Rows of each group, by class and by the classes that both models predict.

    Attributes
    ----------
    group_sums
        `sums` has shape (n_distinct, 5 * n_classes): rows of each class, rows that the candidate
        predicts as it, its hits, rows that the champion predicts as it, its hits.
    n_groups
        As `job.stages.metrics.label_metrics.count_groups` counts them.
    """

    classes: tuple[str, ...]
    group_sums: GroupSums
    n_groups: tuple[int, Array, Array]


def compare_pair(
    champion: Predictions, candidate: Predictions, groups: Array, spec: PairedSpec
) -> Difference:
    """Compare two models of the same classes, on rows in the same order.

    Each end of the interval is a one-sided bound at `spec.alpha`.
    """
    y_true, y_pred = champion.y_true, (champion.y_pred, candidate.y_pred)
    counts = count_pair(champion.classes, y_true, y_pred, groups)
    rng = np.random.default_rng(spec.random_state)
    label_difference = _compare_labels(counts, spec, rng)
    if spec.metric.value in AVERAGED:
        return label_difference
    difference = _compare_rows(champion, candidate, groups, spec, rng)
    return replace(difference, recalls=label_difference.recalls)


def count_pair(
    classes: tuple[str, ...], y_true: Array, y_pred: tuple[Array, Array], groups: Array
) -> PairedCounts:
    """Count the rows of each group by class and by the labels of champion and candidate.

    Parameters
    ----------
    y_true, y_pred
        Positions in `classes`, shape (n_rows,) each; the champion's predictions come first.
    """
    n, (champion, candidate) = len(classes), y_pred
    return PairedCounts(
        classes=classes,
        group_sums=count_by_group(
            groups, y_true, paired_count_columns(y_true, candidate, champion, n), 5 * n
        ),
        n_groups=count_groups(groups, y_true, candidate, n),
    )


def compare_counts(counts: PairedCounts, spec: PairedSpec) -> Difference:
    """Compare two models by their counts of each group; the metric is computed from labels."""
    return _compare_labels(counts, spec, np.random.default_rng(spec.random_state))


def _compare_labels(counts: PairedCounts, spec: PairedSpec, rng: np.random.Generator) -> Difference:
    """Compare recalls and, if it is computed from labels, the metric."""
    n, group_sums = len(counts.classes), counts.group_sums
    candidate_columns, champion_columns = np.arange(3 * n), np.r_[:n, 3 * n : 5 * n]
    candidate, champion = (
        LabelScores(group_sums.total[:, columns])
        for columns in (candidate_columns, champion_columns)
    )

    def measure(sums: Array) -> Array:
        return candidate.measure(sums[:, candidate_columns]) - champion.measure(
            sums[:, champion_columns]
        )

    scores = [
        label_scores.measure(group_sums.total[:, columns])[0]
        for label_scores, columns in ((champion, champion_columns), (candidate, candidate_columns))
    ]
    point, resampled = scores[1] - scores[0], resample(group_sums, measure, spec.resamples, rng)
    n_rows = group_sums.total[0, :n]
    recalls = _recall_changes(
        counts.classes,
        n_rows,
        [s[-n:] for s in scores],
        resampled[:, -n:],
        counts.n_groups[1],
        spec.alpha,
    )
    if spec.metric.value not in AVERAGED:
        return Difference(recalls=recalls)
    column = AVERAGED.index(spec.metric.value)
    only = slice(column, column + 1)
    left_out = leave_one_out(group_sums, lambda sums: measure(sums)[:, only])
    bounds = bca_bounds(point[only], resampled[:, only], left_out, group_sums, spec.alpha)
    interval = interval_or_count_bound(
        point[column],
        *bounds[:, 0],
        n_groups=candidate.count_effective_groups(*counts.n_groups)[column],
        alpha=spec.alpha,
        minimum=-1.0,
    )
    return Difference(
        champion_score=float(scores[0][column]),
        candidate_score=float(scores[1][column]),
        interval=interval,
        standard_error=float(resampled[:, column].std()),
        recalls=recalls,
    )


def _recall_changes(
    names: tuple[str, ...],
    n_rows: Array,
    scores: list[Array],
    resampled: Array,
    n_groups: Array,
    alpha: float,
) -> dict[str, RecallChange]:
    """Return each class's change of recall; the intervals hold for all classes at once (max T)."""
    point = scores[1] - scores[0]
    standard_errors = resampled.std(axis=0)
    varies = (standard_errors > 0) & (n_rows > 0)
    n_classes, critical_values = int((n_rows > 0).sum()), [0.0, 0.0]
    if varies.any():
        deviations = (resampled[:, varies] - point[varies]) / standard_errors[varies]
        critical_values = [max_t_critical_value(sign * deviations, alpha) for sign in (1, -1)]
    return {
        name: RecallChange(
            n_rows=int(n_rows[c]),
            champion_recall=float(scores[0][c]),
            candidate_recall=float(scores[1][c]),
            difference=interval_or_count_bound(
                point[c],
                max(point[c] - critical_values[0] * standard_errors[c], -1.0),
                min(point[c] + critical_values[1] * standard_errors[c], 1.0),
                n_groups=n_groups[c],
                alpha=alpha / max(n_classes, 1),
                minimum=-1.0,
            ),
        )
        for c, name in enumerate(names)
        if n_rows[c]
    }


def _compare_rows(
    champion: Predictions,
    candidate: Predictions,
    groups: Array,
    spec: PairedSpec,
    rng: np.random.Generator,
) -> Difference:
    """Compare by log loss or ROC-AUC, on the rows of classes that the models know."""
    has_known_class = champion.has_known_class
    if not has_known_class.any():
        return Difference()
    champion, candidate = champion.take(has_known_class), candidate.take(has_known_class)
    match spec.metric:
        case Metric.NEG_LOG_LOSS:
            values = [-log_losses(predictions) for predictions in (champion, candidate)]
            scores = [float(negated.mean()) for negated in values]
        case Metric.ROC_AUC_OVR:
            areas = [roc_auc_influences(predictions) for predictions in (champion, candidate)]
            scores, values = [area for area, _ in areas], [influences for _, influences in areas]
        case _:
            raise NotImplementedError(f"{spec.metric.value} cannot be compared row by row")
    if np.isnan(scores).any():
        return Difference()
    change = scores[1] - scores[0]
    values = [row_values - row_values.mean() for row_values in values]
    columns = np.stack([np.ones(len(values[0])), values[1] - values[0]], axis=1)
    group_sums = sum_by_group(groups[has_known_class], champion.y_true, columns)

    def measure(sums: Array) -> Array:
        return change + sums[:, 1:] / sums[:, :1]

    resampled = resample(group_sums, measure, spec.resamples, rng)
    point = measure(group_sums.total)[0]
    left_out = leave_one_out(group_sums, measure)
    low, high = bca_bounds(point, resampled, left_out, group_sums, spec.alpha)[:, 0]
    return Difference(
        champion_score=scores[0],
        candidate_score=scores[1],
        interval=Interval(value=change, lower=float(low), upper=float(high)),
        standard_error=float(resampled[:, 0].std()),
    )
