"""Hold each slice of the hold-out beside the rest of it, and say which are shown to be worse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from job.contracts.metrics import Metric
from job.contracts.reports.slices import SliceReport, SliceScore
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.metrics.confidence_bounds import (
    bca_bounds,
    interval_or_count_bound,
    max_t_critical_value,
)
from job.stages.metrics.group_bootstrap import count_by_group, leave_one_out, resample
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.search_metric import score_of

Array = np.ndarray[Any, Any]
MIN_GROUPS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    column: str
    value: str
    is_in: Array
    n_groups: int
    n_other_groups: int

    def is_shown(self, min_rows: int) -> bool:
        n_rows = int(self.is_in.sum())
        fewest = min(n_rows, len(self.is_in) - n_rows)
        return fewest >= min_rows and min(self.n_groups, self.n_other_groups) >= MIN_GROUPS


def judge_slices(
    found: Predictions,
    groups: Array,
    slices: pd.DataFrame,
    metric: Metric,
    spec: EvaluationSpec,
    random_state: int,
) -> SliceReport:
    """Return accuracy, difference to the rest, and score of every slice that is large enough.

    Parameters
    ----------
    groups
        Number of each row's group, shape (n_rows,).
    slices
        A categorical column for each thing to slice by.
    """
    groups = pd.factorize(groups)[0]
    undivided = tuple(str(name) for name in slices if slices[name].nunique() < 2)
    every = [
        some for name in slices if name not in undivided for some in _cut(slices[name], groups)
    ]
    shown = [some for some in every if some.is_shown(spec.min_slice_rows)]
    scores = _measure(shown, found, groups, metric, spec, random_state) if shown else []
    return SliceReport(
        metric=metric.value,
        level=spec.confidence,
        min_rows=spec.min_slice_rows,
        min_groups=MIN_GROUPS,
        n_not_shown=len(every) - len(shown),
        undivided=undivided,
        scores=tuple(sorted(scores, key=lambda s: (s.difference, s.column, s.value))),
    )


def _cut(column: pd.Series[Any], groups: Array) -> list[_Slice]:
    codes, sizes = column.cat.codes.to_numpy().astype(int), np.bincount(groups)
    pairs, counts = np.unique(codes * len(sizes) + groups, return_counts=True)
    is_whole = counts == sizes[pairs % len(sizes)]  # no row of the group is in another slice
    return [
        _Slice(
            column=str(column.name),
            value=str(column.cat.categories[code]),
            is_in=codes == code,
            n_groups=int(is_here.sum()),
            n_other_groups=len(sizes) - int(is_whole[is_here].sum()),
        )
        for code in np.unique(codes)
        for is_here in [pairs // len(sizes) == code]
    ]


def _measure(
    shown: list[_Slice],
    found: Predictions,
    groups: Array,
    metric: Metric,
    spec: EvaluationSpec,
    random_state: int,
) -> list[SliceScore]:
    n, alpha = len(shown), 1 - spec.confidence
    group_sums = count_by_group(groups, found.y_true, _count_columns(shown, found), 2 * n + 2)
    point = _Shares(n).measure(group_sums.total)[0]
    measure = _Shares(n, point).measure
    resampled = resample(group_sums, measure, spec.resamples, np.random.default_rng(random_state))
    left_out = leave_one_out(group_sums, lambda sums: measure(sums)[:, :n])
    bounds = bca_bounds(point[:n], resampled[:, :n], left_out, group_sums, alpha / 2)
    n_groups = np.array([some.n_groups for some in shown])
    n_fewest = np.minimum(n_groups, [some.n_other_groups for some in shown])
    most = _upper_bounds(point[:n], resampled[:, :n], n_groups, alpha)
    most_apart = _upper_bounds(point[n:], resampled[:, n:], n_fewest, alpha)
    return [
        SliceScore(
            column=some.column,
            value=some.value,
            n_rows=int(some.is_in.sum()),
            n_groups=some.n_groups,
            accuracy=interval_or_count_bound(
                point[number], *bounds[:, number], n_groups=some.n_groups, tail=alpha / 2
            ),
            upper_bound=float(most[number]),
            difference=float(point[n + number]),
            difference_upper_bound=float(most_apart[number]),
            score=score_of(found.take(some.is_in), metric),
        )
        for number, some in enumerate(shown)
    ]


def _count_columns(shown: list[_Slice], found: Predictions) -> tuple[Array, ...]:
    """Return the columns in which each row counts: its slices, hits in them, and those of all."""
    n, is_hit = len(shown), found.y_pred == found.y_true
    cells = [np.full(len(is_hit), 2 * n), np.where(is_hit, 2 * n + 1, -1)]
    for name in dict.fromkeys(some.column for some in shown):
        cell = np.full(len(is_hit), -1)
        for number, some in enumerate(shown):
            if some.column == name:
                cell[some.is_in] = number
        cells += [cell, np.where(is_hit & (cell >= 0), cell + n, -1)]
    return tuple(cells)


class _Shares:
    """Accuracy of each slice, and its difference to that of the rest.

    A resample without rows of a slice, or of its rest, has the accuracy that `point` tells.
    """

    def __init__(self, n: int, point: Array | None = None) -> None:
        self._n, self._point = n, np.zeros(2 * n) if point is None else point

    def measure(self, sums: Array) -> Array:
        """Return shape (n_resamples, 2 * n) of sums of shape (n_resamples, 2 * n + 2)."""
        n = self._n
        rows, hits, all_rows, all_hits = np.split(sums, [n, 2 * n, 2 * n + 1], axis=1)
        inside = _share(hits, rows, self._point[:n])
        outside = _share(all_hits - hits, all_rows - rows, self._point[:n] - self._point[n:])
        return np.concatenate([inside, inside - outside], axis=1)


def _share(part: Array, whole: Array, default: Array) -> Array:
    start = np.broadcast_to(default, part.shape).copy()
    # NOTE: a drawn group counts n / (n - 1) times, so that what is less than a half is none
    share: Array = np.divide(part, whole, out=start, where=whole > 0.5)
    return share


def _upper_bounds(point: Array, resampled: Array, n_groups: Array, alpha: float) -> Array:
    """Return bounds that hold for all metrics at once but for a chance of alpha (max T).

    Where no resample differs from the whole, the number of groups alone makes the bound.
    """
    standard_errors = resampled.std(axis=0)
    varies = standard_errors > 0
    by_count = 1.0 - (alpha / len(point)) ** (1 / n_groups)
    critical_value = 0.0
    if varies.any():
        critical_value = max_t_critical_value(
            (point - resampled)[:, varies] / standard_errors[varies], alpha
        )
    bounds: Array = np.minimum(
        point + np.where(varies, critical_value * standard_errors, by_count), 1.0
    )
    return bounds
