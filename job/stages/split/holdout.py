"""Choose the rows that are held out as test rows; whole groups are held out.

How it works, for `split.method: hash`
--------------------------------------
1. A group has the class of most of its rows.
2. Within each class, groups are sorted by their salted hash, and the first ones are held out: as
   many as are needed to hold out about the share `split.test_fraction` of the class's rows.  Rows
   of the class in test groups of other classes count as well.
3. A group with more than an eighth of the rows of its class is always used for training.  Otherwise
   it would dominate the class's test rows.
4. The order of the groups is kept, even if a later, smaller group would fit better.  So a few new
   groups in the table do not move many old groups to the other side of the split.
5. Some classes may then have no test group, or fewer training groups than there are folds.  For
   each of these classes, the test groups are chosen again, so that both sides have groups of the
   class (rebalancing).  This affects only classes that have few groups, or are a minority in all
   their groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Array, Mask
from job.contracts.dataset import Rows
from job.contracts.settings.split import SplitSpec
from job.errors import TrainingError
from job.stages.data.leakage_keys import salted_digests
from job.stages.split.folds import ClassCounts, cut_folds

MAX_GROUP_SHARE: Final = 1 / 8  # of the rows of its class; larger groups are training groups
_N_PASSES: Final = 3  # rebalancing a class can unbalance another class in the same groups


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOut:
    """The held-out rows, and counts of rebalanced classes and of large groups.

    Attributes
    ----------
    is_test
        Mask of the held-out rows, shape (n_rows,).
    n_rebalanced_classes
        Number of classes whose test groups were chosen again, so that training and test rows both
        have groups of the class.
    n_large_groups, n_rows_large_groups
        Number of groups that are used for training because of their size, and number of rows in
        these groups.
    """

    is_test: Array
    n_rebalanced_classes: int = 0
    n_large_groups: int = 0
    n_rows_large_groups: int = 0


def hold_out(rows: Rows, spec: SplitSpec, folds: int, random_state: int) -> HoldOut:
    """Choose the test rows by `split.method`.

    Parameters
    ----------
    folds
        Minimum number of training groups per class.

    Raises
    ------
    TrainingError
        `split.method` is `stratified_group`, and every class has fewer rows than the number of
        parts into which this method cuts the table.
    """
    numbers, group_of_row = np.unique(rows.groups, return_inverse=True)
    labels, classes = pd.factorize(np.asarray(rows.y, dtype=object), sort=True)
    digests, n_large, n_rows_large = None, 0, 0
    if spec.method == "hash":
        digests = digest_groups(rows, group_of_row, len(numbers), spec.salt)
        counts = ClassCounts.of(labels, group_of_row)
        is_large = _find_large_groups(counts)
        n_large, n_rows_large = int(is_large.sum()), int(counts.sizes[is_large].sum())
        is_test = _select_by_class(counts, is_large, digests, spec.test_fraction, folds)
    else:
        is_test = np.zeros(len(numbers), bool)
        is_test[group_of_row[_select_stratified(rows, spec, random_state)]] = True
    by_class = [_ClassGroups(group_of_row[labels == n], folds) for n in range(len(classes))]
    n_rebalanced = 0
    if not all(groups.is_balanced(is_test) for groups in by_class):
        if digests is None:
            digests = digest_groups(rows, group_of_row, len(numbers), spec.salt)
        n_rebalanced = _rebalance(by_class, is_test, digests, spec.test_fraction)
    return HoldOut(
        is_test=is_test[group_of_row],
        n_rebalanced_classes=n_rebalanced,
        n_large_groups=n_large,
        n_rows_large_groups=n_rows_large,
    )


def digest_groups(rows: Rows, group_of_row: Array, n_groups: int, salt: str) -> Array:
    """Return a salted digest of each group, shape (n_groups,), uint64.

    First, the leakage key with the smallest digest under the prefix `family` is chosen in each
    group.  Then the digest of the chosen key under the prefix `side` is returned.  The first digest
    is not returned: the more keys a group has, the smaller it is, so such groups would be held out
    more often.
    """
    # NOTE: do not change the prefixes: all groups would get other digests, and so other sides
    codes, keys = pd.factorize(np.asarray(rows.leakage_keys, dtype=object))
    pairs = np.unique(group_of_row * len(keys) + codes)
    groups, members = pairs // len(keys), pairs % len(keys)
    rank = np.zeros(len(pairs), np.uint64)
    has_choice = np.bincount(groups, minlength=n_groups)[groups] > 1
    rank[has_choice] = salted_digests("family", keys[members[has_choice]], salt)
    order = np.lexsort((rank, groups))
    first = order[np.flatnonzero(np.diff(groups[order], prepend=-1))]
    return salted_digests("side", keys[members[first]], salt)


def _find_large_groups(counts: ClassCounts) -> Array:
    """Return a mask of the groups that are too large to be held out, shape (n_groups,).

    If a class has several groups and all are too large, only the largest one is in the mask, so
    that the class can have test groups.  If a class has only one group, this group is not in the
    mask.
    """
    sizes, class_of_group = counts.sizes, counts.class_of_group
    is_large: Array = sizes > MAX_GROUP_SHARE * np.bincount(class_of_group, sizes)[class_of_group]
    for number in np.unique(class_of_group):
        members = np.flatnonzero(class_of_group == number)
        if is_large[members].all():
            is_large[members] = False
            is_large[members[sizes[members].argmax()]] = len(members) > 1
    return is_large


def _select_by_class(
    counts: ClassCounts, is_large: Array, digests: Array, fraction: float, folds: int
) -> Array:
    """Return a mask of the test groups, shape (n_groups,), chosen by hash within each class."""
    is_test = np.zeros(len(is_large), bool)
    for number in np.unique(counts.class_of_group):
        members = np.flatnonzero(counts.class_of_group == number)
        n_rows = counts.count_class(number)
        n_wanted = fraction * n_rows.sum() - n_rows[is_test].sum()
        order = members[~is_large[members]]
        order = order[np.argsort(digests[order], kind="stable")]
        order = order[: min(max(len(members) - folds, 1), len(members) - 1)]
        if len(order):
            distance = np.abs(np.cumsum(n_rows[order]) - n_wanted)
            is_test[order[: int(distance.argmin()) + 1]] = True
    return is_test


class _ClassGroups:
    """The groups that contain rows of one class, and the number of these rows in each group."""

    def __init__(self, group_of_row: Array, folds: int) -> None:
        self._groups, self._n_rows = np.unique(group_of_row, return_counts=True)
        self._folds = folds

    def is_balanced(self, is_test: Array) -> bool:
        """Return whether both sides have enough groups; true if the class has only one group."""
        n, n_test = len(self._groups), int(is_test[self._groups].sum())
        return not (n > 1 and (n_test == 0 or n - n_test < min(self._folds, n - 1)))

    def rebalance(self, is_test: Array, digests: Array, fraction: float) -> None:
        """Choose the class's test groups again in `is_test`, so that both sides have some.

        Groups are visited in the order of digests.  A group is held out unless the held-out share
        of the class's rows would then exceed `fraction`.
        """
        n_rows_left = fraction * self._n_rows.sum()
        max_test_groups = max(len(self._groups) - self._folds, 1)
        order = np.argsort(digests[self._groups], kind="stable")
        selected: list[int] = []
        for n in order.tolist():
            if len(selected) < max_test_groups and self._n_rows[n] <= n_rows_left:
                selected.append(n)
                n_rows_left -= self._n_rows[n]
        if not selected:
            selected = [order[np.argmin(self._n_rows[order])]]
        is_test[self._groups] = False
        is_test[self._groups[selected]] = True


def _rebalance(
    by_class: Sequence[_ClassGroups], is_test: Mask, digests: Array, fraction: float
) -> int:
    """Rebalance classes that are not balanced in `is_test`; return how many were rebalanced."""
    rebalanced: set[int] = set()
    for _ in range(_N_PASSES):
        unbalanced = [n for n, groups in enumerate(by_class) if not groups.is_balanced(is_test)]
        for n in unbalanced:
            by_class[n].rebalance(is_test, digests, fraction)
        rebalanced |= set(unbalanced)
    return len(rebalanced)


def _select_stratified(rows: Rows, spec: SplitSpec, random_state: int) -> Array:
    """Return a mask of test rows for `stratified_group`, drawn by seed, stratified by class."""
    share = max(Fraction(spec.test_fraction).limit_denominator(100), Fraction(1, 100))
    n_splits = share.denominator
    is_test = np.zeros(len(rows), bool)
    try:
        folds = cut_folds(rows.y.astype(str), rows.groups, n_splits, random_state)
        for _, test_index in folds[: share.numerator]:
            is_test[test_index] = True
    except ValueError:
        raise TrainingError(
            f"the table cannot be split into {n_splits} parts: even its largest class has fewer "
            f"than {n_splits} rows",
            hint="add rows, or use --set split.test_fraction=0.2, which splits the table into only "
            "5 parts",
        ) from None
    return is_test
