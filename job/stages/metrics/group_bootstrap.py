"""Draw whole groups of rows again, class by class, and sum what they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import sparse

from job.contracts.row_blocks import cut

Array = np.ndarray[Any, Any]
_BLOCK: Final = 2**22  # draws at a time
_CACHED: Final = 2**16  # counts that the processor holds beside it
_MULTINOMIAL_COST: Final = 8  # so many draws of a group cost as much as a binomial draw


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSums:
    """What is drawn: groups, those that are alike as one unit.

    Attributes
    ----------
    sums
        Shape (n_distinct, n_columns), dense or sparse: what one group of the unit holds.
    multiplicity
        Shape (n_distinct,): how many groups are alike.
    strata
        Shape (n_distinct,): groups are drawn within a stratum; each has two groups or more, unless
        there is one group in all.
    """

    sums: Any  # an ndarray or a scipy.sparse array
    multiplicity: Array
    strata: Array

    @property
    def n_groups(self) -> int:
        """Groups in all."""
        return int(self.multiplicity.sum())

    @property
    def total(self) -> Array:
        """What all groups hold, shape (1, n_columns)."""
        total: Array = (self.multiplicity @ self.sums).reshape(1, -1).astype(float)
        return total


# Fewer effective groups than that cannot show a margin of two points, not even of equal models.
FEW_GROUPS: Final = 150


def effective_groups(groups: Array) -> float:
    """Return as how many groups of equal size these count: `sum(n)**2 / sum(n**2)` (Kish 1965).

    Parameters
    ----------
    groups
        Group of each row, shape (n_rows,).
    """
    sizes = np.unique(groups, return_counts=True)[1].astype(float)
    return float(sizes.sum() ** 2 / np.square(sizes).sum()) if len(sizes) else 0.0


def count_by_group(groups: Array, y: Array, cells: tuple[Array, ...], n_columns: int) -> GroupSums:
    """Count cells in each group, and take groups with equal counts as one unit.

    Parameters
    ----------
    groups, y
        Group and class of each row, as numbers from 0.
    cells
        Columns in which each row counts one, -1 for none.
    """
    groups = pd.factorize(groups)[0]
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    # NOTE: equal sums of random words mean equal rows, but for one chance in 2 ** 64 a pair
    codes, found = pd.factorize(y)
    for cell in cells:
        codes, found = pd.factorize(codes * (n_columns + 1) + cell + 1)
    words = np.random.default_rng(0).integers(0, 2**64, len(found), dtype=np.uint64)
    hashes = np.add.reduceat(words[codes[order]], starts)
    _, first, multiplicity = np.unique(hashes, return_index=True, return_counts=True)
    unit_of = np.full(len(starts), -1)
    unit_of[first] = np.arange(len(first))
    group_sums = unit_of[groups]
    pairs = [
        (group_sums[is_in], cell[is_in])
        for cell in cells
        for is_in in [(group_sums >= 0) & (cell >= 0)]
    ]
    rows, columns = (np.concatenate(part) for part in zip(*pairs, strict=True))
    sums = sparse.csr_array(
        (np.ones(len(rows)), (rows, columns)), shape=(len(first), n_columns), dtype=float
    )
    strata = _strata(groups, y)[first]
    return GroupSums(sums=sums, multiplicity=multiplicity, strata=_pooled(strata, multiplicity))


def sum_by_group(groups: Array, y: Array, values: Array) -> GroupSums:
    """Sum columns of numbers, shape (n_rows, n_columns), in each group."""
    groups = pd.factorize(groups)[0]
    n_groups = int(groups.max(initial=-1)) + 1
    sums = np.stack([np.bincount(groups, column, n_groups) for column in values.T], axis=1)
    return make_group_sums(sums, _strata(groups, y))


def make_group_sums(sums: Any, strata: Array) -> GroupSums:
    """Return groups as units, each like no other.

    Parameters
    ----------
    sums
        Dense or sparse, shape (n_groups, n_columns).
    strata
        Class of each group, shape (n_groups,).
    """
    multiplicity = np.ones(len(strata), int)
    return GroupSums(sums=sums, multiplicity=multiplicity, strata=_pooled(strata, multiplicity))


def _strata(groups: Array, y: Array) -> Array:
    """Return the class that most rows of a group have; of several, the first."""
    n_classes = int(y.max(initial=0)) + 1
    pairs, counts = np.unique(groups * n_classes + y, return_counts=True)
    order = np.lexsort((pairs % n_classes, -counts, pairs // n_classes))
    _, first = np.unique(pairs[order] // n_classes, return_index=True)
    strata: Array = pairs[order][first] % n_classes
    return strata


def _pooled(strata: Array, multiplicity: Array) -> Array:
    """Join classes of one group, which cannot vary alone, with each other or the smallest other."""
    sizes = np.bincount(strata, multiplicity).astype(int)
    lone = np.flatnonzero(sizes == 1)
    others = np.flatnonzero(sizes > 1)
    if not len(lone):
        return strata
    joined = lone if len(lone) > 1 or not len(others) else [lone[0], others[sizes[others].argmin()]]
    return np.where(np.isin(strata, joined), joined[0], strata)


def resample(
    group_sums: GroupSums,
    measure: Callable[[Array], Array],
    n_resamples: int,
    rng: np.random.Generator,
) -> Array:
    """Measure resamples, shape (n_resamples, n_metrics).

    Of a stratum's n groups n - 1 are drawn with replacement, and count n / (n - 1) times (Rao and
    Wu), so that the variance is not too small where a class has few groups.

    Parameters
    ----------
    measure
        Makes (n, n_metrics) of sums of shape (n, n_columns).
    """
    if group_sums.n_groups < 2:
        return np.repeat(measure(group_sums.total), n_resamples, axis=0)
    sums = np.zeros((n_resamples, group_sums.sums.shape[1]))
    for stratum in np.unique(group_sums.strata):
        members = np.flatnonzero(group_sums.strata == stratum)
        held, multiplicity = group_sums.sums[members], group_sums.multiplicity[members]
        touched = np.unique(held.nonzero()[1])  # few of the columns belong to a class
        held = held[:, touched]
        n_groups = int(multiplicity.sum())
        at_once = max(1, _BLOCK // n_groups)
        for some in cut(slice(0, n_resamples), at_once):
            drawn = _draw(multiplicity, n_groups, some.stop - some.start, rng)
            sums[some, touched] += (drawn @ held) * (n_groups / (n_groups - 1))
    return measure(sums)


def _draw(multiplicity: Array, n_groups: int, n: int, rng: np.random.Generator) -> Array:
    """Draw as many groups of a stratum as it has, less one; counts of shape (n, n_distinct)."""
    if len(multiplicity) * _MULTINOMIAL_COST < n_groups:
        return rng.multinomial(n_groups - 1, multiplicity / n_groups, n).astype(float)
    picked = rng.integers(n_groups, size=(n, n_groups - 1), dtype=np.uint32)
    if len(multiplicity) < n_groups:
        picked = np.repeat(np.arange(len(multiplicity), dtype=np.uint32), multiplicity)[picked]
    if n * len(multiplicity) <= _CACHED:
        cells = picked + np.arange(0, n * len(multiplicity), len(multiplicity))[:, None]
        counts = np.bincount(cells.ravel(), minlength=n * len(multiplicity))
        return counts.reshape(n, -1).astype(float)
    drawn = np.empty((n, len(multiplicity)))
    for row, some in enumerate(picked):
        drawn[row] = np.bincount(some, minlength=len(multiplicity))
    return drawn


def leave_one_out(group_sums: GroupSums, measure: Callable[[Array], Array]) -> Array:
    """Measure without one group of each unit, shape (n_distinct, n_metrics).

    What is left of its stratum counts a little more, so that strata keep their weight.
    """
    n_strata = int(group_sums.strata.max(initial=0)) + 1
    sizes = np.bincount(group_sums.strata, group_sums.multiplicity, n_strata)
    of_stratum = sparse.csr_array(
        (
            group_sums.multiplicity.astype(float),
            (group_sums.strata, np.arange(len(group_sums.strata))),
        ),
        shape=(n_strata, len(group_sums.strata)),
    )
    sums = np.asarray(
        (of_stratum @ group_sums.sums).todense()
        if sparse.issparse(group_sums.sums)
        else of_stratum @ group_sums.sums
    )
    total, found = group_sums.total, []
    for members in cut(
        slice(0, len(group_sums.strata)), max(1, _BLOCK // group_sums.sums.shape[1])
    ):
        strata, n = group_sums.strata[members], sizes[group_sums.strata[members]][:, None]
        own = group_sums.sums[members]
        own = own.toarray() if sparse.issparse(own) else own
        found.append(measure(total + (sums[strata] - own * n) / np.maximum(n - 1, 1)))
    return np.concatenate(found)
