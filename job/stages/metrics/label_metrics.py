"""Metrics of predicted classes, computed from counts for many resamples at once.

How it works
------------
1. All metrics follow from three counts per class: the rows of the class, the rows predicted as the
   class, and the hits of the class (its correctly predicted rows).
2. The counts form a table with three columns per class.  `count_columns` returns, for each row, the
   columns to which the row adds 1.  `group_sums` counts them by group.
3. `LabelScores.measure` converts a table of counts, one row per resample, to a table of scores: the
   metrics of `job.contracts.metrics`, and F1, precision and recall of each class.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.metric_kinds import LabelCounts, LabelMetric
from job.contracts.metrics import METRICS
from job.stages.metrics.group_sums import effective_groups

PER_CLASS: Final = ("f1", "precision", "recall")


def count_columns(y_true: Array, y_pred: Array, n_classes: int) -> tuple[Array, Array, Array]:
    """Return the columns to which each row adds 1, in a table of 3 * n_classes counts.

    There are three arrays: the column of the row's class, the column of its predicted class, and
    the column of the class's hits, or -1 if the prediction is wrong.
    """
    hit = np.where(y_true == y_pred, 2 * n_classes + y_true, -1)
    return y_true, n_classes + y_pred, hit


def paired_count_columns(
    y_true: Array, y_pred: Array, other: Array, n_classes: int
) -> tuple[Array, ...]:
    """Return the columns to which each row adds 1, in a table of two models' 5 * n_classes counts.

    The first three arrays are those of `count_columns` for the predictions `y_pred` of one model.
    The last two have the columns of predicted class and hits for `other`, the predictions of the
    other model.
    """
    true, predicted, hit = count_columns(y_true, y_pred, n_classes)
    _, other_predicted, other_hit = count_columns(y_true, other, n_classes)
    other_hit = np.where(other_hit < 0, -1, other_hit + 2 * n_classes)
    return true, predicted, hit, other_predicted + 2 * n_classes, other_hit


def count_groups(
    groups: Array, y_true: Array, y_pred: Array, n_classes: int
) -> tuple[int, Array, Array]:
    """Count all groups, and per class those with rows, and with predictions, of the class."""
    pairs = (np.unique(groups * n_classes + y) % n_classes for y in (y_true, y_pred))
    true, predicted = (np.bincount(classes, minlength=n_classes) for classes in pairs)
    return len(np.unique(groups)), true, predicted


def count_effective_groups(
    groups: Array, y_true: Array, y_pred: Array, n_classes: int
) -> tuple[float, Array, Array]:
    """Return `effective_groups` of all rows, of each class, and of each predicted class."""
    true, predicted = (
        np.array([effective_groups(groups[y == n]) for n in range(n_classes)])
        for y in (y_true, y_pred)
    )
    return effective_groups(groups), true, predicted


def compute_label_scores(
    y_true: Array, y_pred: Array, n_classes: int
) -> dict[tuple[str, int | None], float]:
    """Return the scores of predicted classes by (metric, class); for averages, the class is None.

    Classes are numbers from 0; `n_classes` may be larger than the number of classes that occur.
    """
    counts = _count(y_true, y_pred, n_classes)
    label_scores = LabelScores(counts)
    return dict(zip(label_scores.names, label_scores.measure(counts)[0].tolist(), strict=True))


def score_labels(metric: LabelMetric, y_true: Array, y_pred: Array, n_classes: int) -> float:
    """Return the value of `metric` for predicted classes; see `compute_label_scores`."""
    counts = _count(y_true, y_pred, n_classes)
    return float(metric.function(LabelScores(counts).derive(counts))[0])


def _count(y_true: Array, y_pred: Array, n_classes: int) -> Array:
    """Return the sums of `count_columns` over all rows, shape (1, 3 * n_classes)."""
    columns = [column[column >= 0] for column in count_columns(y_true, y_pred, n_classes)]
    return np.bincount(np.concatenate(columns), minlength=3 * n_classes)[None].astype(float)


class LabelScores:
    """Computes all scores of predicted classes, averaged and per class, in a fixed order.

    Parameters
    ----------
    total
        Counts over all evaluated rows, shape (1, 3 * n_classes): rows, predicted rows and hits of
        each class.  As in scikit-learn, averages are over the classes that occur in these rows.
    """

    def __init__(self, total: Array) -> None:
        support, predicted, _ = np.split(total[0], 3)
        self.n_classes = len(support)
        self.metrics = tuple(m for m in METRICS.values() if isinstance(m, LabelMetric))
        self._occurs, self._is_true = support + predicted > 0, support > 0

    @property
    def names(self) -> list[tuple[str, int | None]]:
        """Name and class (None for averages) of each column of scores."""
        per_class = [(name, n) for name in PER_CLASS for n in range(self.n_classes)]
        return [*((metric.name, None) for metric in self.metrics), *per_class]

    @property
    def minima(self) -> Array:
        """The lowest value that each score can have (-1 or 0), shape (n_scores,)."""
        per_class = [0.0] * (len(PER_CLASS) * self.n_classes)
        return np.array([*(metric.minimum for metric in self.metrics), *per_class])

    def count_effective_groups(self, n_groups: float, true: Array, predicted: Array) -> Array:
        """Return the number of groups that each score depends on, shape (n_scores,).

        If a score does not vary between resamples, its interval is computed from this number.  For
        an average over k classes, this number is k times that of the class with the fewest groups.

        Parameters
        ----------
        n_groups, true, predicted
            Results of the function `count_effective_groups`.
        """
        by_class = int(self._occurs.sum()) * true[self._is_true].min(initial=n_groups)
        averaged = [
            by_class if metric.averages_over == "classes" else n_groups for metric in self.metrics
        ]
        return np.concatenate([averaged, np.minimum(true, predicted), predicted, true])

    def derive(self, counts: Array) -> LabelCounts:
        """Compute precision, recall and F1 by class from counts, shape (n, 3 * n_classes)."""
        support, predicted, hits = np.split(counts, 3, axis=1)
        return LabelCounts(
            n_rows=support.sum(axis=1),
            support=support,
            predicted=predicted,
            hits=hits,
            f1=_share(2 * hits, support + predicted),
            precision=_share(hits, predicted),
            recall=_share(hits, support),
            is_true=self._is_true,
            occurs=self._occurs,
        )

    def measure(self, counts: Array) -> Array:
        """Convert n rows of counts, shape (n, 3 * n_classes), to scores, shape (n, n_scores)."""
        derived = self.derive(counts)
        averaged = [metric.function(derived) for metric in self.metrics]
        per_class = [derived.f1, derived.precision, derived.recall]
        return np.concatenate([np.stack(averaged, axis=1), *per_class], axis=1)


def _share(part: Array, whole: Array) -> Array:
    share: Array = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share
