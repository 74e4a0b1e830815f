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
_DEAR: Final = 8  # so many draws of a group cost as much as a binomial draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What is drawn: groups, those that are alike as one unit.

    Attributes
    ----------
    sums
        Shape (n_units, n_columns), dense or sparse: what one group of the unit holds.
    n_alike
        Shape (n_units,): how many groups are alike.
    strata
        Shape (n_units,): groups are drawn within a stratum; each has two groups or more, unless
        there is one group in all.
    """

    sums: Any  # an ndarray or a scipy.sparse array
    n_alike: Array
    strata: Array

    @property
    def n_groups(self) -> int:
        """Groups in all."""
        return int(self.n_alike.sum())

    @property
    def total(self) -> Array:
        """What all groups hold, shape (1, n_columns)."""
        total: Array = (self.n_alike @ self.sums).reshape(1, -1).astype(float)
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


def count_units(groups: Array, y: Array, cells: tuple[Array, ...], n_columns: int) -> Units:
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
    _, first, n_alike = np.unique(hashes, return_index=True, return_counts=True)
    unit_of = np.full(len(starts), -1)
    unit_of[first] = np.arange(len(first))
    units = unit_of[groups]
    pairs = [
        (units[is_in], cell[is_in]) for cell in cells for is_in in [(units >= 0) & (cell >= 0)]
    ]
    rows, columns = (np.concatenate(part) for part in zip(*pairs, strict=True))
    sums = sparse.csr_array(
        (np.ones(len(rows)), (rows, columns)), shape=(len(first), n_columns), dtype=float
    )
    strata = _strata(groups, y)[first]
    return Units(sums=sums, n_alike=n_alike, strata=_pooled(strata, n_alike))


def sum_units(groups: Array, y: Array, values: Array) -> Units:
    """Sum columns of numbers, shape (n_rows, n_columns), in each group."""
    groups = pd.factorize(groups)[0]
    n_groups = int(groups.max(initial=-1)) + 1
    sums = np.stack([np.bincount(groups, column, n_groups) for column in values.T], axis=1)
    return make_units(sums, _strata(groups, y))


def make_units(sums: Any, strata: Array) -> Units:
    """Return groups as units, each like no other.

    Parameters
    ----------
    sums
        Dense or sparse, shape (n_groups, n_columns).
    strata
        Class of each group, shape (n_groups,).
    """
    n_alike = np.ones(len(strata), int)
    return Units(sums=sums, n_alike=n_alike, strata=_pooled(strata, n_alike))


def _strata(groups: Array, y: Array) -> Array:
    """Give the class that most rows of a group have; of several, the first."""
    n_classes = int(y.max(initial=0)) + 1
    pairs, counts = np.unique(groups * n_classes + y, return_counts=True)
    order = np.lexsort((pairs % n_classes, -counts, pairs // n_classes))
    _, first = np.unique(pairs[order] // n_classes, return_index=True)
    strata: Array = pairs[order][first] % n_classes
    return strata


def _pooled(strata: Array, n_alike: Array) -> Array:
    """Join classes of one group, which cannot vary alone, with each other or the smallest other."""
    sizes = np.bincount(strata, n_alike).astype(int)
    lone = np.flatnonzero(sizes == 1)
    others = np.flatnonzero(sizes > 1)
    if not len(lone):
        return strata
    joined = lone if len(lone) > 1 or not len(others) else [lone[0], others[sizes[others].argmin()]]
    return np.where(np.isin(strata, joined), joined[0], strata)


def resample(
    units: Units, measure: Callable[[Array], Array], n_resamples: int, rng: np.random.Generator
) -> Array:
    """Measure resamples, shape (n_resamples, n_metrics).

    Of a stratum's n groups n - 1 are drawn with replacement, and count n / (n - 1) times (Rao and
    Wu), so that the variance is not too small where a class has few groups.

    Parameters
    ----------
    measure
        Makes (n, n_metrics) of sums of shape (n, n_columns).
    """
    if units.n_groups < 2:
        return np.repeat(measure(units.total), n_resamples, axis=0)
    sums = np.zeros((n_resamples, units.sums.shape[1]))
    for stratum in np.unique(units.strata):
        members = np.flatnonzero(units.strata == stratum)
        held, n_alike = units.sums[members], units.n_alike[members]
        touched = np.unique(held.nonzero()[1])  # few of the columns belong to a class
        held = held[:, touched]
        n_groups = int(n_alike.sum())
        at_once = max(1, _BLOCK // n_groups)
        for some in cut(slice(0, n_resamples), at_once):
            drawn = _draw(n_alike, n_groups, some.stop - some.start, rng)
            sums[some, touched] += (drawn @ held) * (n_groups / (n_groups - 1))
    return measure(sums)


def _draw(n_alike: Array, n_groups: int, n: int, rng: np.random.Generator) -> Array:
    """Draw all groups of a stratum but one; give how often each unit came, shape (n, n_units)."""
    if len(n_alike) * _DEAR < n_groups:
        return rng.multinomial(n_groups - 1, n_alike / n_groups, n).astype(float)
    picked = rng.integers(n_groups, size=(n, n_groups - 1), dtype=np.uint32)
    if len(n_alike) < n_groups:
        picked = np.repeat(np.arange(len(n_alike), dtype=np.uint32), n_alike)[picked]
    if n * len(n_alike) <= _CACHED:
        cells = picked + np.arange(0, n * len(n_alike), len(n_alike))[:, None]
        counts = np.bincount(cells.ravel(), minlength=n * len(n_alike))
        return counts.reshape(n, -1).astype(float)
    drawn = np.empty((n, len(n_alike)))
    for row, some in enumerate(picked):
        drawn[row] = np.bincount(some, minlength=len(n_alike))
    return drawn


def leave_one_out(units: Units, measure: Callable[[Array], Array]) -> Array:
    """Measure without one group of each unit, shape (n_units, n_metrics).

    What is left of its stratum counts a little more, so that strata keep their weight.
    """
    n_strata = int(units.strata.max(initial=0)) + 1
    sizes = np.bincount(units.strata, units.n_alike, n_strata)
    of_stratum = sparse.csr_array(
        (units.n_alike.astype(float), (units.strata, np.arange(len(units.strata)))),
        shape=(n_strata, len(units.strata)),
    )
    sums = np.asarray(
        (of_stratum @ units.sums).todense()
        if sparse.issparse(units.sums)
        else of_stratum @ units.sums
    )
    total, found = units.total, []
    for members in cut(slice(0, len(units.strata)), max(1, _BLOCK // units.sums.shape[1])):
        strata, n = units.strata[members], sizes[units.strata[members]][:, None]
        own = units.sums[members]
        own = own.toarray() if sparse.issparse(own) else own
        found.append(measure(total + (sums[strata] - own * n) / np.maximum(n - 1, 1)))
    return np.concatenate(found)
