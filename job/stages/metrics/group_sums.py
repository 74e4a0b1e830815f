"""Sum the rows of each group, so that metrics can be computed for many resamples at once.

How it works
------------
1. Rows of one group (near-duplicates, one conversation) are not independent, so resamples draw
   whole groups.  Metrics are functions of sums over rows, so only each group's sums are stored.
2. Groups with equal sums and equal stratum are stored once, with a count.  This saves much memory,
   because most groups have one row, and many of these have equal sums.
3. The stratum of a group is the class of most of its rows.  If a class has only one group, its
   stratum is merged with that of another class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import sparse

from job.contracts.arrays import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSums:
    """Sums over the rows of each group; groups with equal sums can be stored once.

    Attributes
    ----------
    sums
        Sums of each distinct group, shape (n_distinct, n_columns), dense or sparse.
    multiplicity
        How many groups have the sums in each row of `sums`, shape (n_distinct,).
    strata
        Stratum of each distinct group, shape (n_distinct,).  Groups are drawn within a stratum.
        Each stratum has at least two groups, unless there is only one group in total.
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
    """Return the effective number of groups: low if some are much larger than most (Kish 1965).

    This is `sum(n)**2 / sum(n**2)` over the group sizes n.  It equals the number of groups if all
    groups have the same size.

    Parameters
    ----------
    groups
        Group id of each row, shape (n_rows,).
    """
    sizes = np.unique(groups, return_counts=True)[1].astype(float)
    return float(sizes.sum() ** 2 / np.square(sizes).sum()) if len(sizes) else 0.0


def count_by_group(
    groups: Array, y: Array, columns: tuple[Array, ...], n_columns: int
) -> GroupSums:
    """Count how many rows of each group belong to each column of `GroupSums.sums`.

    Parameters
    ----------
    groups, y
        Group id and class of each row, as numbers from 0.
    columns
        Arrays of shape (n_rows,).  Each array says in which column of `GroupSums.sums` a row is
        counted; -1 if the row is not counted.
    """
    groups = pd.factorize(groups)[0]
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    # NOTE: groups with equal sums of random numbers have equal counts; for a pair of different
    # groups, the sums are equal with probability 2 ** -64
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
    """Sum `values`, shape (n_rows, n_columns), over the rows of each group."""
    groups = pd.factorize(groups)[0]
    n_groups = int(groups.max(initial=-1)) + 1
    sums = np.stack([np.bincount(groups, column, n_groups) for column in values.T], axis=1)
    return make_group_sums(sums, _majority_classes(groups, y))


def make_group_sums(sums: Any, strata: Array) -> GroupSums:
    """Return the `GroupSums` of groups stored one by one; merge strata that have only one group.

    Parameters
    ----------
    sums
        Sums of each group, dense or sparse, shape (n_groups, n_columns).
    strata
        Class of each group, shape (n_groups,).
    """
    multiplicity = np.ones(len(strata), int)
    strata = _merge_lone_strata(strata, multiplicity)
    return GroupSums(sums=sums, multiplicity=multiplicity, strata=strata)


def _majority_classes(groups: Array, y: Array) -> Array:
    """Return the most frequent class of each group; the first one in a tie."""
    n_classes = int(y.max(initial=0)) + 1
    pairs, counts = np.unique(groups * n_classes + y, return_counts=True)
    order = np.lexsort((pairs % n_classes, -counts, pairs // n_classes))
    _, first = np.unique(pairs[order] // n_classes, return_index=True)
    classes: Array = pairs[order][first] % n_classes
    return classes


def _merge_lone_strata(strata: Array, multiplicity: Array) -> Array:
    """Merge the strata of only one group; if there is one such stratum, add it to the smallest."""
    sizes = np.bincount(strata, multiplicity).astype(int)
    lone = np.flatnonzero(sizes == 1)
    others = np.flatnonzero(sizes > 1)
    if not len(lone):
        return strata
    merged = lone if len(lone) > 1 or not len(others) else [lone[0], others[sizes[others].argmin()]]
    return np.where(np.isin(strata, merged), merged[0], strata)
