"""Choose the rows that are held out, whole groups at a time.

How it works, for `split.method: hash`
--------------------------------------
1. A group belongs to the class of most of its rows.
2. Within each class, groups are taken in the order of their salted hash, up to the point where the
   rows of the class on the test side are nearest to `split.test_fraction` of its rows.  Rows of the
   class that already stand on the test side, in groups of other classes, count.
3. A group of more than an eighth of its class is always trained on: with it on the test side, the
   class would be judged on little else.
4. No group is passed over because it overshoots: then every later choice would hang on the sizes of
   the earlier ones, and a few new groups would move many old ones to the other side.
5. Classes that are left without a test group, or with fewer training groups than there are folds,
   are dealt again alone; only classes that never have most of a group's rows, or few groups, are.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from job.contracts.dataset import Rows
from job.contracts.settings.split import SplitSpec
from job.errors import TrainingError
from job.stages.data.leakage_keys import salted_digests
from job.stages.split.folds import GroupCounts, cut_folds

Array = npt.NDArray[Any]
MAX_GROUP_SHARE: Final = 1 / 8  # of its class: a larger group is always trained on
_N_PASSES: Final = 3  # a group of two classes can take from one what the other needs


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOut:
    """Which rows are held out, and what had to be done for it.

    Attributes
    ----------
    is_test
        Mask of shape (n_rows,).
    n_dealt_classes
        Classes that were dealt again, so that both sides have some of their groups.
    n_large_groups, n_rows_large_groups
        Groups that are always trained on because of their size, and their rows.
    """

    is_test: Array
    n_dealt_classes: int = 0
    n_large_groups: int = 0
    n_rows_large_groups: int = 0


def hold_out(rows: Rows, spec: SplitSpec, folds: int, random_state: int) -> HoldOut:
    """Choose the test rows.

    Parameters
    ----------
    folds
        Number of training groups that each class needs.

    Raises
    ------
    TrainingError
        The rows cannot be cut into so many parts.
    """
    numbers, group_of_row = np.unique(rows.groups, return_inverse=True)
    labels, classes = pd.factorize(np.asarray(rows.y, dtype=object), sort=True)
    digests, n_large, n_rows_large = None, 0, 0
    if spec.method == "hash":
        digests = digest_groups(rows, group_of_row, len(numbers), spec.salt)
        counts = GroupCounts.of(labels, group_of_row)
        is_large = _find_large(counts)
        n_large, n_rows_large = int(is_large.sum()), int(counts.sizes[is_large].sum())
        is_test = _take_by_class(counts, is_large, digests, spec.test_fraction, folds)
    else:
        is_test = np.zeros(len(numbers), bool)
        is_test[group_of_row[_cut(rows, spec, random_state)]] = True
    dealt: set[int] = set()
    for _ in range(_N_PASSES):
        held = [_ClassGroups(group_of_row[labels == n], folds) for n in range(len(classes))]
        broken = [n for n, some in enumerate(held) if some.is_broken(is_test)]
        if not broken:
            break
        if digests is None:
            digests = digest_groups(rows, group_of_row, len(numbers), spec.salt)
        for n in broken:
            held[n].deal(is_test, digests, spec.test_fraction)
        dealt |= set(broken)
    return HoldOut(
        is_test=is_test[group_of_row],
        n_dealt_classes=len(dealt),
        n_large_groups=n_large,
        n_rows_large_groups=n_rows_large,
    )


def digest_groups(rows: Rows, group_of_row: Array, n_groups: int, salt: str) -> Array:
    """Return a salted digest of each group, shape (n_groups,), uint64.

    It is that of the key that stands for the group: the one whose own salted digest is the least.
    The digest that decides the side is another one: the least of many would be small, and large
    groups be held out more often than others.
    """
    codes, keys = pd.factorize(np.asarray(rows.leakage_keys, dtype=object))
    pairs = np.unique(group_of_row * len(keys) + codes)
    groups, members = pairs // len(keys), pairs % len(keys)
    rank = np.zeros(len(pairs), np.uint64)
    has_choice = np.bincount(groups, minlength=n_groups)[groups] > 1
    rank[has_choice] = salted_digests("family", keys[members[has_choice]], salt)
    order = np.lexsort((rank, groups))
    first = order[np.flatnonzero(np.diff(groups[order], prepend=-1))]
    return salted_digests("side", keys[members[first]], salt)


def _find_large(counts: GroupCounts) -> Array:
    """Return a mask of the groups that are too large to be held out, shape (n_groups,).

    Where that would be every group of a class, which then has few of them, it is the largest one.
    """
    sizes, class_of_group = counts.sizes, counts.class_of_group
    is_large: Array = sizes > MAX_GROUP_SHARE * np.bincount(class_of_group, sizes)[class_of_group]
    for number in np.unique(class_of_group):
        members = np.flatnonzero(class_of_group == number)
        if is_large[members].all():
            is_large[members] = False
            is_large[members[sizes[members].argmax()]] = len(members) > 1
    return is_large


def _take_by_class(
    counts: GroupCounts, is_large: Array, digests: Array, fraction: float, folds: int
) -> Array:
    """Return a mask of the test groups, shape (n_groups,)."""
    is_test = np.zeros(len(is_large), bool)
    for number in np.unique(counts.class_of_group):
        members = np.flatnonzero(counts.class_of_group == number)
        n_rows = counts.of_class(number)
        n_wanted = fraction * n_rows.sum() - n_rows[is_test].sum()
        order = members[~is_large[members]]
        order = order[np.argsort(digests[order], kind="stable")]
        order = order[: min(max(len(members) - folds, 1), len(members) - 1)]
        if len(order):
            distance = np.abs(np.cumsum(n_rows[order]) - n_wanted)
            is_test[order[: int(distance.argmin()) + 1]] = True
    return is_test


class _ClassGroups:
    """The groups that hold one class, with how many of its rows each has."""

    def __init__(self, group_of_row: Array, folds: int) -> None:
        self._groups, self._n_rows = np.unique(group_of_row, return_counts=True)
        self._folds = folds

    def is_broken(self, is_test: Array) -> bool:
        """Return whether a side lacks groups that the class has."""
        n, n_test = len(self._groups), int(is_test[self._groups].sum())
        return n > 1 and (n_test == 0 or n - n_test < min(self._folds, n - 1))

    def deal(self, is_test: Array, digests: Array, fraction: float) -> None:
        """Hold groups out in the order of their digests, as far as they fit."""
        n_left = fraction * self._n_rows.sum()
        n_most = max(len(self._groups) - self._folds, 1)
        order = np.argsort(digests[self._groups], kind="stable")
        taken: list[int] = []
        for n in order.tolist():
            if len(taken) < n_most and self._n_rows[n] <= n_left:
                taken.append(n)
                n_left -= self._n_rows[n]
        if not taken:
            taken = [order[np.argmin(self._n_rows[order])]]
        is_test[self._groups] = False
        is_test[self._groups[taken]] = True


def _cut(rows: Rows, spec: SplitSpec, random_state: int) -> Array:
    """Return a mask of rows, seeded and stratified by class."""
    share = max(Fraction(spec.test_fraction).limit_denominator(100), Fraction(1, 100))
    n_splits = share.denominator
    is_test = np.zeros(len(rows), bool)
    try:
        folds = cut_folds(rows.y.astype(str), rows.groups, n_splits, random_state)
        for _, test in folds[: share.numerator]:
            is_test[test] = True
    except ValueError:
        raise TrainingError(
            f"the table cannot be split into {n_splits} parts by key: its largest class has "
            "fewer rows than that",
            hint="add rows, or choose a split.test_fraction such as 0.2 or 0.25",
        ) from None
    return is_test
