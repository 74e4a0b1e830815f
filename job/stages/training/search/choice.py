"""Choose among the candidates that have met all folds.

How it works
------------
1. The best candidate has the highest mean of the metric over the folds; the first of equals.
2. Where the rows come from few groups, a large group that flips decides which one that is.  Then
   all candidates count as good as the best whose score is within one standard error of its own
   (Breiman et al. 1984): that of the difference, by a jackknife over groups.
3. Among these, the one is chosen that is right in most groups: by the mean over groups of the share
   of right rows, in which every group counts once, however many copies it has.
4. Where wording is preferred (`job.stages.training.search.preference`), candidates of the preferred
   estimators come first, as long as their score is within `WORDING_MARGIN` of the best one:
   differences on templates say little about other words.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.metrics import Metric
from job.contracts.reports.search import SearchedLabels
from job.stages.metrics.group_bootstrap import (
    FEW_GROUPS,
    count_by_group,
    effective_groups,
    leave_one_out,
)
from job.stages.metrics.label_metrics import AVERAGED, LabelScores, pair_cells
from job.stages.metrics.search_metric import score_labels

Array = npt.NDArray[Any]
WORDING_MARGIN: Final = 0.15


def choose(
    labels: SearchedLabels,
    candidates: Sequence[int],
    metric: Metric,
    groups: Array,
    is_left: Array | None = None,
    *,
    preferred: Collection[int] = (),
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
    preferred
        Positions of those that are chosen unless their score is much lower than the best one.
    """
    rows = labels.fold >= 0 if is_left is None else is_left & (labels.fold >= 0)
    means = {n: _mean_over_folds(labels, n, metric, rows) for n in candidates}
    best = max(candidates, key=lambda n: means[n])
    has_few = effective_groups(groups[rows]) < FEW_GROUPS
    if len(candidates) < 2 or not (has_few or preferred):
        return best
    groups, y_true = np.unique(groups[rows], return_inverse=True)[1], labels.y_true[rows]

    def predicted(n: int) -> Array:
        found: Array = labels.y_pred[n, rows].astype(np.int64)
        return found

    def is_as_good(n: int) -> bool:
        some = (predicted(n), predicted(best))
        return n == best or _is_as_good(y_true, *some, groups, metric, labels.n_classes)

    least = means[best] - WORDING_MARGIN
    as_good = [n for n in candidates if n in preferred and means[n] >= least]
    if not as_good and has_few:
        as_good = [n for n in candidates if is_as_good(n)]
    return max(as_good or [best], key=lambda n: _share_of_groups(predicted(n) == y_true, groups))


def _mean_over_folds(labels: SearchedLabels, n: int, metric: Metric, rows: Array) -> float:
    scores = []
    for fold in range(int(labels.fold.max()) + 1):
        some = rows & (labels.fold == fold)
        if some.any():
            y_true, y_pred = labels.y_true[some], labels.y_pred[n, some]
            scores.append(score_labels(metric, y_true, y_pred, labels.n_classes))
    return float(np.mean(scores)) if scores else -math.inf


def _is_as_good(
    y_true: Array, some: Array, best: Array, groups: Array, metric: Metric, n: int
) -> bool:
    """Return whether labels score within one standard error of the best ones."""
    group_sums = count_by_group(groups, y_true, pair_cells(y_true, some, best, n), 5 * n)
    columns, best_columns = np.arange(3 * n), np.r_[:n, 3 * n : 5 * n]
    own, other = (LabelScores(group_sums.total[:, which]) for which in (columns, best_columns))
    column = AVERAGED.index(metric.value)

    def measure(sums: Array) -> Array:
        found = other.measure(sums[:, best_columns]) - own.measure(sums[:, columns])
        return found[:, column : column + 1]

    difference = measure(group_sums.total)[0, 0]
    shifts = (leave_one_out(group_sums, measure) - difference)[:, 0]
    return bool(difference <= math.sqrt(float(group_sums.multiplicity @ np.square(shifts))))


def _share_of_groups(is_right: Array, groups: Array) -> float:
    """Return the mean over groups of the share of right rows."""
    return float((np.bincount(groups, is_right) / np.bincount(groups)).mean())
