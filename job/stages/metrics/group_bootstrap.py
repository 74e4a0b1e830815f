"""The stratified bootstrap and jackknife over groups of rows.

How it works
------------
1. Rows that belong together (near-duplicates, one conversation) are not independent, so whole
   groups are drawn.  Metrics are functions of sums over rows, so a group is a row of sums.
2. Groups with equal sums and stratum are stored once, with their number: most groups are one row.
3. Groups are drawn with replacement within the class that most of their rows have, so that every
   resample has all classes (a class of one group is merged with another one).
4. Of n groups, n - 1 are drawn and weighted by n / (n - 1), which keeps the variance from being
   too small where a class has few groups (Rao & Wu).
5. `leave_one_out` removes one group at a time; the rest of its stratum is weighted up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import sparse

from job.contracts.row_blocks import split_rows

Array = np.ndarray[Any, Any]
_BLOCK: Final = 2**22  # draws at a time
_MAX_CACHED_COUNTS: Final = 2**16  # counts that fit into the processor's cache
_MULTINOMIAL_COST: Final = 8  # so many draws of a group cost as much as a binomial draw


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSums:
    """Sums over the rows of each group; equal groups are stored once.

    Attributes
    ----------
    sums
        Shape (n_distinct, n_columns), dense or sparse: the sums of one group.
    multiplicity
        Shape (n_distinct,): the number of groups with these sums.
    strata
        Shape (n_distinct,): groups are drawn within a stratum; each has two groups or more, unless
        there is only one group in total.
    """

    sums: Any  # an ndarray or a scipy.sparse array
    multiplicity: Array
    strata: Array

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.multiplicity.sum())

    @property
    def total(self) -> Array:
        """Sums over all groups, shape (1, n_columns)."""
        total: Array = (self.multiplicity @ self.sums).reshape(1, -1).astype(float)
        return total


# With fewer effective groups, a margin of 0.02 cannot be shown even for two identical models.
MIN_EFFECTIVE_GROUPS: Final = 150


def effective_groups(groups: Array) -> float:
    """Return the number of groups of equal size that are worth as much as these (Kish 1965).

    That is `sum(n)**2 / sum(n**2)` of the group sizes n.

    Parameters
    ----------
    groups
        Group of each row, shape (n_rows,).
    """
    sizes = np.unique(groups, return_counts=True)[1].astype(float)
    return float(sizes.sum() ** 2 / np.square(sizes).sum()) if len(sizes) else 0.0


def count_by_group(
    groups: Array, y: Array, columns: tuple[Array, ...], n_columns: int
) -> GroupSums:
    """Count rows by group and column; groups with equal counts are stored once.

    Parameters
    ----------
    groups, y
        Group and class of each row, as numbers from 0.
    columns
        Arrays of shape (n_rows,) with a column in which each row counts one, -1 for none.
    """
    groups = pd.factorize(groups)[0]
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    # NOTE: equal sums of random words mean equal rows, except for one chance in 2 ** 64 per pair
    codes, kinds = pd.factorize(y)
    for column in columns:
        codes, kinds = pd.factorize(codes * (n_columns + 1) + column + 1)
    words = np.random.default_rng(0).integers(0, 2**64, len(kinds), dtype=np.uint64)
    hashes = np.add.reduceat(words[codes[order]], starts)
    _, first, multiplicity = np.unique(hashes, return_index=True, return_counts=True)
    distinct_of_group = np.full(len(starts), -1)
    distinct_of_group[first] = np.arange(len(first))
    distinct = distinct_of_group[groups]
    pairs = [
        (distinct[is_counted], column[is_counted])
        for column in columns
        for is_counted in [(distinct >= 0) & (column >= 0)]
    ]
    row_index, column_index = (np.concatenate(part) for part in zip(*pairs, strict=True))
    sums = sparse.csr_array(
        (np.ones(len(row_index)), (row_index, column_index)),
        shape=(len(first), n_columns),
        dtype=float,
    )
    strata = _merge_lone_strata(_majority_classes(groups, y)[first], multiplicity)
    return GroupSums(sums=sums, multiplicity=multiplicity, strata=strata)


def sum_by_group(groups: Array, y: Array, values: Array) -> GroupSums:
    """Sum columns of numbers, shape (n_rows, n_columns), over the rows of each group."""
    groups = pd.factorize(groups)[0]
    n_groups = int(groups.max(initial=-1)) + 1
    sums = np.stack([np.bincount(groups, column, n_groups) for column in values.T], axis=1)
    return make_group_sums(sums, _majority_classes(groups, y))


def make_group_sums(sums: Any, strata: Array) -> GroupSums:
    """Return the sums of groups that are all distinct.

    Parameters
    ----------
    sums
        Dense or sparse, shape (n_groups, n_columns).
    strata
        Class of each group, shape (n_groups,).
    """
    multiplicity = np.ones(len(strata), int)
    strata = _merge_lone_strata(strata, multiplicity)
    return GroupSums(sums=sums, multiplicity=multiplicity, strata=strata)


def _majority_classes(groups: Array, y: Array) -> Array:
    """Return the class that most rows of each group have; the first if there are several."""
    n_classes = int(y.max(initial=0)) + 1
    pairs, counts = np.unique(groups * n_classes + y, return_counts=True)
    order = np.lexsort((pairs % n_classes, -counts, pairs // n_classes))
    _, first = np.unique(pairs[order] // n_classes, return_index=True)
    classes: Array = pairs[order][first] % n_classes
    return classes


def _merge_lone_strata(strata: Array, multiplicity: Array) -> Array:
    """Merge strata of one group, which could not vary: with each other, or the smallest other."""
    sizes = np.bincount(strata, multiplicity).astype(int)
    lone = np.flatnonzero(sizes == 1)
    others = np.flatnonzero(sizes > 1)
    if not len(lone):
        return strata
    merged = lone if len(lone) > 1 or not len(others) else [lone[0], others[sizes[others].argmin()]]
    return np.where(np.isin(strata, merged), merged[0], strata)


def resample(
    group_sums: GroupSums,
    statistic: Callable[[Array], Array],
    n_resamples: int,
    rng: np.random.Generator,
) -> Array:
    """Return the metrics of resamples, shape (n_resamples, n_metrics).

    Parameters
    ----------
    statistic
        Computes metrics (n, n_metrics) from sums (n, n_columns).
    """
    if group_sums.n_groups < 2:
        return np.repeat(statistic(group_sums.total), n_resamples, axis=0)
    sums = np.zeros((n_resamples, group_sums.sums.shape[1]))
    for stratum in np.unique(group_sums.strata):
        members = np.flatnonzero(group_sums.strata == stratum)
        member_sums, multiplicity = group_sums.sums[members], group_sums.multiplicity[members]
        nonzero = np.unique(member_sums.nonzero()[1])  # few of the columns belong to a class
        member_sums = member_sums[:, nonzero]
        n_groups = int(multiplicity.sum())
        for block in split_rows(slice(0, n_resamples), max(1, _BLOCK // n_groups)):
            counts = _draw(multiplicity, n_groups, block.stop - block.start, rng)
            sums[block, nonzero] += (counts @ member_sums) * (n_groups / (n_groups - 1))
    return statistic(sums)


def _draw(multiplicity: Array, n_groups: int, n: int, rng: np.random.Generator) -> Array:
    """Draw n_groups - 1 groups of a stratum n times; return counts of shape (n, n_distinct)."""
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


def leave_one_out(group_sums: GroupSums, statistic: Callable[[Array], Array]) -> Array:
    """Return the metrics without one of each distinct group, shape (n_distinct, n_metrics).

    The rest of its stratum is weighted up, so that strata keep their weight.
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
