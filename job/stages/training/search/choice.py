"""Choose among the candidates that completed all folds.

How it works
------------
1. The best candidate has the highest mean of the metric over the folds; ties go to the first.
2. A single large group can decide which candidate is best.  Therefore, if the rows come from few
   groups, all candidates within one standard error of the best one count as equally good (Breiman
   et al. 1984).  The standard error of the score difference is computed by a jackknife over groups.
3. Of the candidates that are equally good, the one with the highest mean accuracy over groups is
   chosen.  In this mean, every group counts once, however many rows it has.
4. Some estimators may be preferred (`job.stages.training.search.preference`).  If any of their
   candidates score at most `WORDING_MARGIN` below the best candidate, step 3 chooses among these
   candidates instead.  The margin is wide because score differences on templates say little about
   other wording.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.metric_kinds import LabelMetric
from job.contracts.reports.search import SearchedLabels
from job.stages.metrics.group_bootstrap import leave_one_out
from job.stages.metrics.group_sums import MIN_EFFECTIVE_GROUPS, count_by_group, effective_groups
from job.stages.metrics.label_metrics import LabelScores, paired_count_columns, score_labels

WORDING_MARGIN: Final = 0.15


def choose(
    labels: SearchedLabels,
    candidates: Sequence[int],
    metric: LabelMetric,
    groups: Array,
    mask: Array | None = None,
    *,
    preferred: Collection[int] = (),
) -> int:
    """Return the position of the chosen candidate in `labels.y_pred`.

    Parameters
    ----------
    labels
        True classes, and the classes that every candidate predicts out of fold.
    candidates
        Positions of the candidates that completed all folds of the last round.
    metric
        A metric that is computed from predicted classes.
    groups
        Group id of each row, shape (n_rows,).
    mask
        Rows to evaluate, shape (n_rows,); None for all of them.
    preferred
        Positions of preferred candidates.  If some of them score at most `WORDING_MARGIN` below the
        best candidate, one of these is chosen.
    """
    rows = labels.fold >= 0 if mask is None else mask & (labels.fold >= 0)
    means = {n: _compute_mean_score(labels, n, metric, rows) for n in candidates}
    best = max(candidates, key=lambda n: means[n])
    has_few = effective_groups(groups[rows]) < MIN_EFFECTIVE_GROUPS
    if len(candidates) < 2 or not (has_few or preferred):
        return best
    min_score = means[best] - WORDING_MARGIN
    as_good = [n for n in candidates if n in preferred and means[n] >= min_score]
    codes = np.unique(groups[rows], return_inverse=True)[1]
    if not as_good and has_few:
        as_good = _find_as_good(labels, candidates, best, metric, rows, codes)
    is_right = labels.y_pred[:, rows] == labels.y_true[rows]
    return max(as_good or [best], key=lambda n: _compute_group_accuracy(is_right[n], codes))


def _find_as_good(
    labels: SearchedLabels,
    candidates: Sequence[int],
    best: int,
    metric: LabelMetric,
    rows: Array,
    groups: Array,
) -> list[int]:
    """Return the positions of `best` and of the candidates at most one standard error below it.

    Parameters
    ----------
    rows
        Rows to evaluate, shape (n_rows,).
    groups
        Group id of each evaluated row, from 0.
    """
    y_true = labels.y_true[rows]

    def predicted(n: int) -> Array:
        y_pred: Array = labels.y_pred[n, rows].astype(np.int64)
        return y_pred

    return [
        n
        for n in candidates
        if n == best
        or _is_within_one_error(
            y_true, predicted(n), predicted(best), groups, metric, labels.n_classes
        )
    ]


def _compute_mean_score(labels: SearchedLabels, n: int, metric: LabelMetric, rows: Array) -> float:
    """Return candidate n's score on these rows, averaged over the folds; -inf without rows."""
    scores = []
    for fold in range(int(labels.fold.max()) + 1):
        mask = rows & (labels.fold == fold)
        if mask.any():
            y_true, y_pred = labels.y_true[mask], labels.y_pred[n, mask]
            scores.append(score_labels(metric, y_true, y_pred, labels.n_classes))
    return float(np.mean(scores)) if scores else -math.inf


def _is_within_one_error(
    y_true: Array, y_pred: Array, y_best: Array, groups: Array, metric: LabelMetric, n: int
) -> bool:
    """Return whether `y_pred` scores at most one standard error below `y_best`.

    Parameters
    ----------
    n
        Number of classes.
    """
    group_sums = count_by_group(
        groups, y_true, paired_count_columns(y_true, y_pred, y_best, n), 5 * n
    )
    columns, best_columns = np.arange(3 * n), np.r_[:n, 3 * n : 5 * n]
    scores, best_scores = (LabelScores(group_sums.total[:, c]) for c in (columns, best_columns))
    column = scores.metrics.index(metric)

    def measure(sums: Array) -> Array:
        differences = best_scores.measure(sums[:, best_columns]) - scores.measure(sums[:, columns])
        return differences[:, column : column + 1]

    difference = measure(group_sums.total)[0, 0]
    shifts = (leave_one_out(group_sums, measure) - difference)[:, 0]
    return bool(difference <= math.sqrt(float(group_sums.multiplicity @ np.square(shifts))))


def _compute_group_accuracy(is_right: Array, groups: Array) -> float:
    """Return the share of correct rows in each group, averaged over the groups."""
    return float((np.bincount(groups, is_right) / np.bincount(groups)).mean())
