"""Paired bootstrap: the difference between two models' scores on the same rows, with intervals.

How it works
------------
1. The rows of each group are counted by class and by the predictions of both models
   (`PairedCounts`).  Metrics of labels follow from sums of these counts.
2. Groups are resampled as a whole, class by class, with the same groups for both models.  The
   difference of the scores is computed for each resample.
3. Each end of the interval is a one-sided BCa bound at `alpha`.
4. The changes of the classes' recalls have max-T intervals, which hold for all classes at once.
5. Log loss and ROC-AUC are computed from one value per row: the row's loss, or its influence on
   the AUC.  These values are summed by group and resampled in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from job.contracts.arrays import Array
from job.contracts.metric_kinds import InfluenceMetric, LabelMetric, RowMetric
from job.contracts.reports.comparison import Comparison, RecallChange
from job.contracts.reports.intervals import Interval
from job.contracts.settings.gate import PairedSpec
from job.stages.metrics.confidence_bounds import interval_or_count_bound
from job.stages.metrics.group_bootstrap import GroupBootstrap, Measured, measure_resamples
from job.stages.metrics.group_sums import GroupSums, count_by_group
from job.stages.metrics.label_metrics import LabelScores, count_groups, paired_count_columns
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import KnownRows
from job.stages.metrics.search_metric import measure_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Both models' scores, and their difference with its interval and standard error.

    The difference is the candidate's score minus the champion's.

    The values are None if the metric is undefined on the compared rows.
    """

    champion_score: float | None = None
    candidate_score: float | None = None
    interval: Interval | None = None
    standard_error: float | None = None
    recalls: Mapping[str, RecallChange] = field(default_factory=dict)

    def add_to(self, comparison: Comparison) -> Comparison:
        """Return a copy of the comparison, with these scores added."""
        return comparison.copy_with(
            champion_score=self.champion_score,
            candidate_score=self.candidate_score,
            difference=self.interval,
            standard_error=self.standard_error,
            recalls=self.recalls,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedCounts:
    """Numbers of rows of each group, by class and by the class that each model predicts.

    Attributes
    ----------
    group_sums
        `sums` has 5 blocks of n_classes columns.  They count, by class: rows, the candidate's
        predictions and correct predictions (hits), the champion's predictions and hits.  Groups
        with equal counts share a row.
    n_groups
        Numbers of groups in total, by class, and by the candidate's predicted class.
    """

    classes: tuple[str, ...]
    group_sums: GroupSums
    n_groups: tuple[int, Array, Array]


def compare_pair(
    champion: Predictions, candidate: Predictions, groups: Array, spec: PairedSpec
) -> Difference:
    """Compare two models that have the same classes, on rows in the same order.

    Each end of the interval is a one-sided bound at `spec.alpha`.
    """
    y_true, y_pred = champion.y_true, (champion.y_pred, candidate.y_pred)
    counts = count_pair(champion.classes, y_true, y_pred, groups)
    rng = np.random.default_rng(spec.random_state)
    labels = _compare_labels(counts, spec, rng)
    match spec.metric:
        case LabelMetric():
            return labels
        case RowMetric() | InfluenceMetric() as metric:
            has_known_class = champion.has_known_class
            bootstrap = GroupBootstrap(
                groups[has_known_class],
                y_true[has_known_class],
                n_resamples=spec.resamples,
                alpha=spec.alpha,
                random_state=rng,
            )
            pair = KnownRows(champion), KnownRows(candidate)
            return replace(_compare_rows(pair, metric, bootstrap), recalls=labels.recalls)
        case metric:
            raise TypeError(f"'{metric.name}' cannot be compared: {metric.objection}")


def count_pair(
    classes: tuple[str, ...], y_true: Array, y_pred: tuple[Array, Array], groups: Array
) -> PairedCounts:
    """Count the rows of each group by true class and by the classes that both models predict.

    Parameters
    ----------
    y_true, y_pred
        True and predicted classes as positions in `classes`, shape (n_rows,) each.  `y_pred` is a
        pair: the champion's and the candidate's.
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
    """Compare two models by their counts per group; the metric must not need probabilities."""
    return _compare_labels(counts, spec, np.random.default_rng(spec.random_state))


class _PairedScores:
    """Computes the label-based scores of both models from sums of `PairedCounts`."""

    def __init__(self, total: Array, n_classes: int) -> None:
        self._candidate_columns = np.arange(3 * n_classes)
        self._champion_columns = np.r_[:n_classes, 3 * n_classes : 5 * n_classes]
        self.candidate = LabelScores(total[:, self._candidate_columns])
        self.champion = LabelScores(total[:, self._champion_columns])

    def score(self, sums: Array) -> tuple[Array, Array]:
        """Return the champion's and the candidate's scores of n resamples, (n, n_scores) each."""
        return (
            self.champion.measure(sums[:, self._champion_columns]),
            self.candidate.measure(sums[:, self._candidate_columns]),
        )

    def measure(self, sums: Array) -> Array:
        """Return the candidate's scores minus the champion's, for n resamples, (n, n_scores)."""
        champion, candidate = self.score(sums)
        return candidate - champion


def _compare_labels(counts: PairedCounts, spec: PairedSpec, rng: np.random.Generator) -> Difference:
    """Compare the recalls, and the metric of `spec` if that metric needs no probabilities."""
    total = counts.group_sums.total
    pair = _PairedScores(total, len(counts.classes))
    measured = measure_resamples(
        counts.group_sums, pair.measure, spec.resamples, rng, alpha=spec.alpha
    )
    (champion,), (candidate,) = pair.score(total)
    recalls = _compare_recalls(counts, (champion, candidate), measured)
    if not isinstance(spec.metric, LabelMetric):
        return Difference(recalls=recalls)
    column = pair.candidate.metrics.index(spec.metric)
    low, high = measured.bounds(slice(column, column + 1))[:, 0]
    interval = interval_or_count_bound(
        measured.point[column],
        low,
        high,
        n_groups=pair.candidate.count_effective_groups(*counts.n_groups)[column],
        alpha=spec.alpha,
        minimum=spec.metric.minimum - 1.0,
    )
    return Difference(
        champion_score=float(champion[column]),
        candidate_score=float(candidate[column]),
        interval=interval,
        standard_error=float(measured.resampled[:, column].std()),
        recalls=recalls,
    )


def _compare_recalls(
    counts: PairedCounts, scores: tuple[Array, Array], measured: Measured
) -> dict[str, RecallChange]:
    """Return each class's change of recall, with max-T intervals that hold for all at once.

    Parameters
    ----------
    scores
        A pair: the champion's and the candidate's scores, (n_scores,) each; the last are the
        recalls.
    """
    n = len(counts.classes)
    n_rows, (champion, candidate) = counts.group_sums.total[0, :n], (s[-n:] for s in scores)
    differences = measured.point[-n:]
    bounds = measured.simultaneous_bounds(slice(-n, None), measured.alpha)
    alpha = measured.alpha / max(int((n_rows > 0).sum()), 1)
    return {
        name: RecallChange(
            n_rows=int(n_rows[c]),
            champion_recall=float(champion[c]),
            candidate_recall=float(candidate[c]),
            difference=interval_or_count_bound(
                differences[c],
                *bounds[:, c],
                n_groups=counts.n_groups[1][c],
                alpha=alpha,
                minimum=-1.0,
            ),
        )
        for c, name in enumerate(counts.classes)
        if n_rows[c]
    }


def _compare_rows(
    pair: tuple[KnownRows, KnownRows],
    metric: RowMetric | InfluenceMetric,
    bootstrap: GroupBootstrap,
) -> Difference:
    """Compare two models by a metric that is computed from losses or influences of rows.

    `pair` holds both models' predictions (champion's, candidate's) of rows of known classes."""
    if not len(pair[0]):
        return Difference()
    scores, values = zip(*(measure_rows(rows, metric) for rows in pair), strict=True)
    if np.isnan(scores).any():
        return Difference()
    change = scores[1] - scores[0]
    champion, candidate = (row_values - row_values.mean() for row_values in values)
    columns = np.stack([np.ones(len(champion)), candidate - champion], axis=1)
    measured = bootstrap.measure(
        bootstrap.sum(columns), lambda sums: change + sums[:, 1:] / sums[:, :1]
    )
    low, high = measured.bounds()[:, 0]
    return Difference(
        champion_score=scores[0],
        candidate_score=scores[1],
        interval=Interval(value=change, lower=float(low), upper=float(high)),
        standard_error=float(measured.resampled[:, 0].std()),
    )
