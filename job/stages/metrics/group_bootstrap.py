"""The stratified bootstrap and jackknife over groups of rows.

How it works
------------
1. Groups are drawn with replacement within their stratum (class), so a resample has all classes.
2. Of n groups in a stratum, n - 1 are drawn and weighted by n / (n - 1).  Otherwise, the variance
   would be too small for a class with few groups (Rao & Wu).
3. `leave_one_out` removes one group at a time, and gives the other groups of its stratum more
   weight.
4. `GroupBootstrap` computes a statistic of all groups and of resamples.  `Measured` returns the
   intervals, for each metric or for several metrics at once.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from job.contracts.arrays import Array
from job.contracts.reports.intervals import Interval
from job.contracts.row_blocks import split_rows
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.metrics.confidence_bounds import (
    bca_bounds,
    interval_or_count_bound,
    simultaneous_bounds,
)
from job.stages.metrics.group_sums import GroupSums, count_by_group, sum_by_group

Statistic = Callable[[Array], Array]  # metrics (n, n_metrics) from sums (n, n_columns)
_BLOCK: Final = 2**22  # number of groups drawn at a time
_MAX_CACHED_COUNTS: Final = 2**16  # counts that fit into the processor's cache
_MULTINOMIAL_COST: Final = 8  # drawing this many groups costs as much as one binomial draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Metrics of all groups and of resamples of the groups, from which intervals are computed.

    Attributes
    ----------
    point
        Metrics of all groups, shape (n_metrics,).
    resampled
        Metrics of the resamples, shape (n_resamples, n_metrics).
    alpha
        Probability that the true value is beyond a bound, on each side.
    """

    group_sums: GroupSums
    statistic: Statistic
    point: Array
    resampled: Array
    alpha: float

    def bounds(self, columns: slice = slice(None)) -> Array:
        """Return the `bca_bounds` of the metrics in `columns`, shape (2, n_metrics)."""
        left_out = leave_one_out(self.group_sums, lambda sums: self.statistic(sums)[:, columns])
        return bca_bounds(
            self.point[columns], self.resampled[:, columns], left_out, self.group_sums, self.alpha
        )

    def simultaneous_bounds(self, columns: slice, alpha: float) -> Array:
        """Return bounds that hold for all metrics in `columns` at once, shape (2, n_metrics)."""
        return simultaneous_bounds(self.point[columns], self.resampled[:, columns], alpha)

    def interval(self, n_groups: float) -> Interval:
        """Return the interval of the only metric, which is a share of rows in `n_groups` groups."""
        (value,), ((low,), (high,)) = self.point, self.bounds()
        return interval_or_count_bound(value, low, high, n_groups=n_groups, alpha=self.alpha)


class GroupBootstrap:
    """Computes statistics of rows, and their confidence intervals, by resampling whole groups.

    Parameters
    ----------
    groups, y
        Group id and class of each row, shape (n_rows,).
    alpha
        Probability that the true value is beyond a bound, on each side.
    random_state
        Seed of the resamples, or the generator that draws them.

    """

    def __init__(
        self,
        groups: Array,
        y: Array,
        *,
        n_resamples: int,
        alpha: float,
        random_state: int | np.random.Generator,
    ) -> None:
        self.groups, self.y = groups, y
        self.n_groups = len(np.unique(groups))
        self._random_state = random_state
        self.n_resamples, self.alpha = n_resamples, alpha
        self._rng = np.random.default_rng(random_state)

    @classmethod
    def of(
        cls,
        groups: Array,
        y: Array,
        spec: EvaluationSpec,
        random_state: int | np.random.Generator,
    ) -> GroupBootstrap:
        """Return a bootstrap for two-sided intervals with confidence `evaluation.confidence`."""
        alpha = (1 - spec.confidence) / 2
        return cls(groups, y, n_resamples=spec.resamples, alpha=alpha, random_state=random_state)

    @property
    def level(self) -> float:
        """Confidence level of two-sided intervals: 1 - 2 * `alpha`."""
        return 1 - 2 * self.alpha

    def restarted(self) -> GroupBootstrap:
        """Return a copy whose random numbers start again from the seed."""
        restarted = copy(self)
        restarted._rng = np.random.default_rng(self._random_state)
        return restarted

    def take(self, index: Array) -> GroupBootstrap:
        """Return a bootstrap of the rows at positions `index`, with the same random generator."""
        return GroupBootstrap(
            self.groups[index],
            self.y[index],
            n_resamples=self.n_resamples,
            alpha=self.alpha,
            random_state=self._rng,
        )

    def count(self, columns: tuple[Array, ...], n_columns: int) -> GroupSums:
        """Count each group's rows by column; `columns` says in which of them each row counts."""
        return count_by_group(self.groups, self.y, columns, n_columns)

    def sum(self, values: Array) -> GroupSums:
        """Sum the rows' values, shape (n_rows, n_columns), by group."""
        return sum_by_group(self.groups, self.y, values)

    def measure(self, group_sums: GroupSums, statistic: Statistic) -> Measured:
        """Compute `statistic` from the sums of all groups, and from the sums of each resample."""
        return measure_resamples(
            group_sums, statistic, self.n_resamples, self._rng, alpha=self.alpha
        )

    def share_interval(self, is_counted: Array) -> Interval:
        """Return the share of rows where `is_counted` is true, with its confidence interval."""
        columns = (np.zeros(len(is_counted), int), np.where(is_counted, 1, -1))
        group_sums = self.count(columns, 2)
        measured = self.measure(group_sums, lambda sums: sums[:, 1:] / sums[:, :1])
        return measured.interval(self.n_groups)


def measure_resamples(
    group_sums: GroupSums,
    statistic: Statistic,
    n_resamples: int,
    rng: np.random.Generator,
    *,
    alpha: float,
) -> Measured:
    """Compute a statistic of all groups and of resamples; the result also stores `alpha`."""
    return Measured(
        group_sums=group_sums,
        statistic=statistic,
        point=statistic(group_sums.total)[0],
        resampled=resample(group_sums, statistic, n_resamples, rng),
        alpha=alpha,
    )


def resample(
    group_sums: GroupSums,
    statistic: Statistic,
    n_resamples: int,
    rng: np.random.Generator,
) -> Array:
    """Draw resamples; return the metrics of each resample, shape (n_resamples, n_metrics).

    Parameters
    ----------
    statistic
        Function from the sums of n resamples, (n, n_columns), to their metrics, (n, n_metrics).
    """
    if group_sums.n_groups < 2:
        return np.repeat(statistic(group_sums.total), n_resamples, axis=0)
    sums = np.zeros((n_resamples, group_sums.sums.shape[1]))
    for stratum in np.unique(group_sums.strata):
        members = np.flatnonzero(group_sums.strata == stratum)
        member_sums, multiplicity = group_sums.sums[members], group_sums.multiplicity[members]
        nonzero = np.unique(member_sums.nonzero()[1])  # a stratum's rows have only few columns
        member_sums = member_sums[:, nonzero]
        n_groups = int(multiplicity.sum())
        for block in split_rows(slice(0, n_resamples), max(1, _BLOCK // n_groups)):
            counts = _draw(multiplicity, n_groups, block.stop - block.start, rng)
            sums[block, nonzero] += (counts @ member_sums) * (n_groups / (n_groups - 1))
    return statistic(sums)


def _draw(multiplicity: Array, n_groups: int, n: int, rng: np.random.Generator) -> Array:
    """Draw n resamples of n_groups - 1 groups; return counts by distinct group, (n, n_distinct)."""
    if len(multiplicity) * _MULTINOMIAL_COST < n_groups:
        return rng.multinomial(n_groups - 1, multiplicity / n_groups, n).astype(float)
    drawn = rng.integers(n_groups, size=(n, n_groups - 1), dtype=np.uint32)
    if len(multiplicity) < n_groups:
        drawn = np.repeat(np.arange(len(multiplicity), dtype=np.uint32), multiplicity)[drawn]
    if n * len(multiplicity) <= _MAX_CACHED_COUNTS:
        cells = drawn + np.arange(0, n * len(multiplicity), len(multiplicity))[:, None]
        flat_counts = np.bincount(cells.ravel(), minlength=n * len(multiplicity))
        return flat_counts.reshape(n, -1).astype(float)
    counts = np.empty((n, len(multiplicity)))
    for row, picked in enumerate(drawn):
        counts[row] = np.bincount(picked, minlength=len(multiplicity))
    return counts


def leave_one_out(group_sums: GroupSums, statistic: Statistic) -> Array:
    """Return the metrics without one group, for each group, shape (n_distinct, n_metrics).

    Groups with equal sums share a row.  The other groups of the same stratum get more weight.
    """
    strata, multiplicity = group_sums.strata, group_sums.multiplicity
    n_strata = int(strata.max(initial=0)) + 1
    sizes = np.bincount(strata, multiplicity, n_strata)
    membership = sparse.csr_array(
        (multiplicity.astype(float), (strata, np.arange(len(strata)))),
        shape=(n_strata, len(strata)),
    )
    stratum_sums = np.asarray(
        (membership @ group_sums.sums).todense()
        if sparse.issparse(group_sums.sums)
        else membership @ group_sums.sums
    )
    total, metrics = group_sums.total, []
    for block in split_rows(slice(0, len(strata)), max(1, _BLOCK // group_sums.sums.shape[1])):
        n = sizes[strata[block]][:, None]
        removed = group_sums.sums[block]
        removed = removed.toarray() if sparse.issparse(removed) else removed
        metrics.append(
            statistic(total + (stratum_sums[strata[block]] - removed * n) / np.maximum(n - 1, 1))
        )
    return np.concatenate(metrics)
