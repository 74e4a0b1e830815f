"""Choose among the candidates that have met all folds.

How it works
------------
1. The best candidate has the highest mean of the metric over the folds; the first of equals.
2. Where the rows come from few groups, a large group that flips decides which one that is.  Then
   all candidates count as good as the best whose score is within one standard error of its own
   (Breiman et al. 1984): that of the difference, by a jackknife over groups.
3. Among these, the one is chosen that is right in most groups: by the mean over groups of the share
   of right rows, in which every group counts once, however many copies it has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.reports import SearchedLabels
from job.contracts.search_specs import Metric
from job.stages.label_scores import AVERAGED, LabelScores, label_cells
from job.stages.resampling import effective_groups
from job.stages.scores import score_labels

Array = npt.NDArray[Any]
MIN_GROUPS: Final = 150  # effective ones; of more, the mean over folds is sure enough


def choose(
    labels: SearchedLabels,
    candidates: Sequence[int],
    metric: Metric,
    groups: Array,
    is_left: Array | None = None,
) -> int:
    """Return which of the candidates is chosen, by its position in the labels.

    Parameters
    ----------
    candidates
        Positions of those that have met all folds of the last round.
    metric
        One of labels.
    groups
        Group of each row, shape (n_rows,).
    is_left
        Mask of the rows that are looked at; None: all of them.
    """
    rows = labels.fold >= 0 if is_left is None else is_left & (labels.fold >= 0)
    means = [_mean_over_folds(labels, n, metric, rows) for n in candidates]
    best = candidates[int(np.argmax(means))]
    if len(candidates) < 2 or effective_groups(groups[rows]) >= MIN_GROUPS:
        return best
    groups = np.unique(groups[rows], return_inverse=True)[1]
    y_true, y_pred = labels.y_true[rows], labels.y_pred[:, rows].astype(np.int64)
    counts = {n: _count(y_true, y_pred[n], groups, labels.n_classes) for n in candidates}
    shares = {n: _share_of_groups(y_pred[n] == y_true, groups) for n in candidates}
    as_good = [n for n in candidates if _is_as_good(counts[n], counts[best], metric)]
    return max(as_good, key=lambda n: shares[n])


def _mean_over_folds(labels: SearchedLabels, n: int, metric: Metric, rows: Array) -> float:
    scores = []
    for fold in range(int(labels.fold.max()) + 1):
        some = rows & (labels.fold == fold)
        if some.any():
            y_true, y_pred = labels.y_true[some], labels.y_pred[n, some]
            scores.append(score_labels(metric, y_true, y_pred, labels.n_classes))
    return float(np.mean(scores)) if scores else -math.inf


def _count(y_true: Array, y_pred: Array, groups: Array, n_classes: int) -> Array:
    """Count rows of a class, rows taken for it and hits, shape (n_groups, 3 * n_classes)."""
    n_groups, n_columns = int(groups.max()) + 1, 3 * n_classes
    counts = np.zeros(n_groups * n_columns)
    for cell in label_cells(y_true, y_pred, n_classes):
        is_in = cell >= 0
        counts += np.bincount(groups[is_in] * n_columns + cell[is_in], minlength=len(counts))
    return counts.reshape(n_groups, n_columns)


def _is_as_good(some: Array, best: Array, metric: Metric) -> bool:
    """Return whether a candidate is within one standard error of the best."""
    column, n = AVERAGED.index(metric.value), len(some)

    def without_each(counts: Array) -> tuple[float, Array]:
        total = counts.sum(axis=0, keepdims=True)
        scores = LabelScores(total)
        return float(scores.measure(total)[0, column]), scores.measure(total - counts)[:, column]

    (score, left_out), (best_score, best_left_out) = without_each(some), without_each(best)
    differences = best_left_out - left_out
    variance = (n - 1) / n * np.square(differences - differences.mean()).sum()
    return best_score - score <= math.sqrt(variance)


def _share_of_groups(is_right: Array, groups: Array) -> float:
    """Return the mean over groups of the share of right rows."""
    return float((np.bincount(groups, is_right) / np.bincount(groups)).mean())
