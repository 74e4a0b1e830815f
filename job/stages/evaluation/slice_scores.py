"""Compare the accuracy of each slice with that of the other evaluated rows.

How it works
------------
1. A slice consists of the rows with one value of a column, or with one range of text lengths or of
   times.  The rest is all other rows.  A slice is left out if the slice or its rest has too few
   rows or groups.
2. For each group, the rows and the correct rows of each slice and of the complete set are counted.
   A bootstrap over groups gives the accuracy of each slice and its difference from the rest.
3. Each accuracy has its own BCa interval.
4. Upper bounds of the accuracies and of the differences hold for all slices at once (max-T).  A
   slice is worse than the rest if the upper bound of its difference is below 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.contracts.metric_kinds import MetricDefinition
from job.contracts.reports.slices import SliceReport, SliceScore
from job.stages.metrics.confidence_bounds import interval_or_count_bound
from job.stages.metrics.group_bootstrap import GroupBootstrap, Measured
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.search_metric import compute_score

MIN_GROUPS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    """A slice: the rows with one value of a column.

    Attributes
    ----------
    mask
        Whether each row is in the slice, shape (n_rows,).
    n_groups, n_other_groups
        Numbers of groups with rows in the slice, and of groups with rows outside it.
    """

    column: str
    value: str
    mask: Array
    n_groups: int
    n_other_groups: int

    def is_shown(self, min_rows: int) -> bool:
        """Return whether the slice and the other rows both have enough rows and groups."""
        n_rows = int(self.mask.sum())
        n_fewest = min(n_rows, len(self.mask) - n_rows)
        return n_fewest >= min_rows and min(self.n_groups, self.n_other_groups) >= MIN_GROUPS


def score_slices(
    predictions: Predictions,
    bootstrap: GroupBootstrap,
    slices: pd.DataFrame,
    metric: MetricDefinition,
    *,
    min_rows: int,
) -> SliceReport:
    """Score each slice that is large enough, and compare its accuracy with that of the other rows.

    Parameters
    ----------
    bootstrap
        The bootstrap over the groups of these rows.
    slices
        Categorical columns; each value of a column is a slice.
    min_rows
        Minimum number of rows in a slice, and outside it.
    """
    groups = pd.factorize(bootstrap.groups)[0]
    single_valued = tuple(str(name) for name in slices if slices[name].nunique() < 2)
    candidates = [
        candidate
        for name in slices
        if name not in single_valued
        for candidate in _make_slices(slices[name], groups)
    ]
    shown = [candidate for candidate in candidates if candidate.is_shown(min_rows)]
    scores = _score_slices(shown, predictions, bootstrap.restarted(), metric) if shown else []
    return SliceReport(
        metric=metric.name,
        level=bootstrap.level,
        min_rows=min_rows,
        min_groups=MIN_GROUPS,
        n_not_shown=len(candidates) - len(shown),
        single_valued=single_valued,
        scores=tuple(sorted(scores, key=lambda s: (s.difference, s.column, s.value))),
    )


def _make_slices(column: pd.Series[Any], groups: Array) -> list[_Slice]:
    """Return one slice for each value that occurs in the column."""
    codes, sizes = column.cat.codes.to_numpy().astype(int), np.bincount(groups)
    pairs, counts = np.unique(codes * len(sizes) + groups, return_counts=True)
    is_whole = counts == sizes[pairs % len(sizes)]  # no row of the group is in another slice
    return [
        _Slice(
            column=str(column.name),
            value=str(column.cat.categories[code]),
            mask=codes == code,
            n_groups=int(is_here.sum()),
            n_other_groups=len(sizes) - int(is_whole[is_here].sum()),
        )
        for code in np.unique(codes)
        for is_here in [pairs // len(sizes) == code]
    ]


def _score_slices(
    shown: list[_Slice],
    predictions: Predictions,
    bootstrap: GroupBootstrap,
    metric: MetricDefinition,
) -> list[SliceScore]:
    """Return the scores of these slices, in the same order."""
    n, inside, differences = len(shown), slice(len(shown)), slice(len(shown), None)
    group_sums = bootstrap.count(_make_count_columns(shown, predictions), 2 * n + 2)
    point = _Accuracies(n).measure(group_sums.total)[0]
    measured = bootstrap.measure(group_sums, _Accuracies(n, point).measure)
    n_groups = np.array([shown_slice.n_groups for shown_slice in shown])
    n_fewest = np.minimum(n_groups, [shown_slice.n_other_groups for shown_slice in shown])
    upper_bounds = _upper_bounds(measured, inside, n_groups)
    difference_upper_bounds = _upper_bounds(measured, differences, n_fewest)
    bounds = measured.bounds(inside)
    return [
        SliceScore(
            column=shown_slice.column,
            value=shown_slice.value,
            n_rows=int(shown_slice.mask.sum()),
            n_groups=shown_slice.n_groups,
            accuracy=interval_or_count_bound(
                point[number],
                *bounds[:, number],
                n_groups=shown_slice.n_groups,
                alpha=bootstrap.alpha,
            ),
            upper_bound=float(upper_bounds[number]),
            difference=float(point[n + number]),
            difference_upper_bound=float(difference_upper_bounds[number]),
            score=compute_score(predictions.take(shown_slice.mask), metric),
        )
        for number, shown_slice in enumerate(shown)
    ]


def _make_count_columns(shown: list[_Slice], predictions: Predictions) -> tuple[Array, ...]:
    """Return, for `GroupBootstrap.count`, the columns to which each row adds 1; -1 for none.

    For n slices there are 2 * n + 2 columns.  The first n count the rows of each slice, the next n
    count the correctly predicted rows (hits) of each slice.  The last two count all rows and all
    hits.
    """
    n, is_hit = len(shown), predictions.y_pred == predictions.y_true
    columns = [np.full(len(is_hit), 2 * n), np.where(is_hit, 2 * n + 1, -1)]
    for name in dict.fromkeys(shown_slice.column for shown_slice in shown):
        numbers = np.full(len(is_hit), -1)  # a row is in one slice of each column
        for number, shown_slice in enumerate(shown):
            if shown_slice.column == name:
                numbers[shown_slice.mask] = number
        columns += [numbers, np.where(is_hit & (numbers >= 0), numbers + n, -1)]
    return tuple(columns)


class _Accuracies:
    """Accuracy of each of n slices, and its difference from that of all other rows.

    Parameters
    ----------
    point
        Accuracies and differences on the original rows, shape (2 * n,).  They replace values that
        are undefined in a resample without rows of a slice, or without other rows.  If None, 0
        replaces these values.
    """

    def __init__(self, n: int, point: Array | None = None) -> None:
        self._n, self._point = n, np.zeros(2 * n) if point is None else point

    def measure(self, sums: Array) -> Array:
        """Return each slice's accuracy, and its difference from the other rows' accuracy.

        `sums` has the counts of one resample in each row, shape (n_resamples, 2 * n_slices + 2).
        The result has all accuracies, then all differences, shape (n_resamples, 2 * n_slices).
        """
        n = self._n
        rows, hits, all_rows, all_hits = np.split(sums, [n, 2 * n, 2 * n + 1], axis=1)
        inside = _share(hits, rows, self._point[:n])
        outside = _share(all_hits - hits, all_rows - rows, self._point[:n] - self._point[n:])
        return np.concatenate([inside, inside - outside], axis=1)


def _share(part: Array, whole: Array, default: Array) -> Array:
    out = np.broadcast_to(default, part.shape).copy()
    # NOTE: a drawn group counts n / (n - 1) times, so sums are not integers: below 0.5 means none
    share: Array = np.divide(part, whole, out=out, where=whole > 0.5)
    return share


def _upper_bounds(measured: Measured, columns: slice, n_groups: Array) -> Array:
    """Return upper bounds that hold for all metrics in `columns` at once.

    The confidence level is the same as for the intervals.  If a metric is equal in all resamples,
    its bound is computed from the number of groups alone.
    """
    alpha, point = 2 * measured.alpha, measured.point[columns]
    _, upper = measured.simultaneous_bounds(columns, alpha)
    varies = measured.resampled[:, columns].std(axis=0) > 0
    by_count = 1.0 - (alpha / len(point)) ** (1 / n_groups)
    bounds: Array = np.minimum(np.where(varies, upper, point + by_count), 1.0)
    return bounds
