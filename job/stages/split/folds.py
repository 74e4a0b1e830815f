"""Cut rows into folds so that no key is on two sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from job.contracts.dataset import Rows
from job.errors import TrainingError

Array = npt.NDArray[Any]
Fold = tuple[Array, Array]
# NOTE: StratifiedGroupKFold weighs each key against all folds in Python, some .3 ms a key
_MAX_WEIGHED_GROUPS: Final = 300


def cut_folds(y: Array, keys: Array, n_folds: int, random_state: int) -> list[Fold]:
    """Return the positions of both sides of each fold, class shares kept, seeded.

    Few keys are weighed one by one against the folds (`StratifiedGroupKFold`).  Many are shuffled
    and dealt out, class by class and large ones first; a key's class is that of most of its rows,
    and its other rows go with them.

    Raises
    ------
    ValueError
        No class has as many rows as there are folds.
    """
    unique, key_codes = np.unique(keys, return_inverse=True)
    codes = np.unique(y, return_inverse=True)[1]
    if len(unique) <= _MAX_WEIGHED_GROUPS:
        cutter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)
        return list(cutter.split(codes, codes, key_codes))
    class_of_key = GroupCounts.of(codes, key_codes).class_of_group
    order = np.random.default_rng(random_state).permutation(len(unique))
    sizes = np.bincount(key_codes)
    order = order[np.lexsort((-sizes[order], class_of_key[order]))]
    fold_of_key = np.empty(len(unique), int)
    n_rows = np.zeros(n_folds)
    for some in np.split(order, np.flatnonzero(np.diff(class_of_key[order])) + 1):
        # the emptiest fold is dealt to first
        fold_of_key[some] = np.argsort(n_rows, kind="stable")[np.arange(len(some)) % n_folds]
        n_rows += np.bincount(fold_of_key[some], sizes[some], n_folds)
    fold_of_row = fold_of_key[key_codes]
    return [
        (np.flatnonzero(fold_of_row != n), np.flatnonzero(fold_of_row == n)) for n in range(n_folds)
    ]


def cut_hash_folds(labels: Array, group_of_row: Array, digests: Array, n_folds: int) -> Array:
    """Return the fold of each row, shape (n_rows,): whole groups, class shares kept.

    Within each class (a group's class is that of most of its rows), groups are put in the order of
    their digests, and the row of them is cut into folds of as many rows each; a group is of the
    fold that its middle falls into.  So a group mostly stays in its fold when others come or go.
    A class whose groups all fall into one fold, because they are of other classes by most of their
    rows, has them dealt to the folds in turn.

    Parameters
    ----------
    labels, group_of_row
        Class and group of each row, as numbers from 0.
    digests
        Shape (n_groups,).
    """
    counts = GroupCounts.of(labels, group_of_row)
    sizes, fold_of_group = counts.sizes, np.zeros(len(digests), int)
    for number in np.unique(counts.class_of_group):
        members = np.flatnonzero(counts.class_of_group == number)
        members = members[np.argsort(digests[members], kind="stable")]
        ends = np.cumsum(sizes[members])
        middles = (ends - sizes[members] / 2) / ends[-1]
        fold_of_group[members] = (middles * n_folds).astype(int)
    for number in np.unique(counts.label):
        holders = counts.group[counts.label == number]
        if len(holders) > 1 and len(np.unique(fold_of_group[holders])) == 1:
            order = holders[np.argsort(digests[holders], kind="stable")]
            fold_of_group[order] = np.arange(len(order)) % n_folds
    return fold_of_group[group_of_row]


def without_near_rows(folds: Sequence[Fold], near_duplicate_groups: Array | None) -> list[Fold]:
    """Return folds whose training rows have no near-duplicate among the rows that are judged.

    Groups may share near-duplicates; without a group column nothing changes.
    """
    if near_duplicate_groups is None:
        return list(folds)
    return [
        (train[~np.isin(near_duplicate_groups[train], near_duplicate_groups[test])], test)
        for train, test in folds
    ]


def take_share(y: Array, keys: Array, share: float, least: int, random_state: int) -> Array:
    """Return the positions of a share of the keys that hold each class, but `least`; seeded.

    What a larger share gives holds what a smaller one gives.
    """
    unique, key_codes = np.unique(keys, return_inverse=True)
    classes, codes = np.unique(y, return_inverse=True)
    order = np.random.default_rng(random_state).permutation(len(unique))
    is_kept = np.zeros(len(unique), bool)
    for n in range(len(classes)):
        holds = np.zeros(len(unique), bool)
        holds[key_codes[codes == n]] = True
        some = order[holds[order]]
        is_kept[some[: max(math.ceil(share * len(some)), least)]] = True
    return np.flatnonzero(is_kept[key_codes])


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCounts:
    """Rows of each group by class, for the pairs of group and class that occur.

    Attributes
    ----------
    group, label, n_rows
        Shape (n_pairs,), sorted by group, then by class; numbers from 0.
    class_of_group
        The class of most of its rows, the first of equals, shape (n_groups,).
    """

    group: Array
    label: Array
    n_rows: Array
    class_of_group: Array

    @classmethod
    def of(cls, labels: Array, group_of_row: Array) -> GroupCounts:
        """Count the rows; every group has some."""
        n_classes = int(labels.max(initial=0)) + 1
        pairs, n_rows = np.unique(group_of_row * n_classes + labels, return_counts=True)
        group, label = pairs // n_classes, pairs % n_classes
        most = np.lexsort((label, -n_rows, group))
        first = np.flatnonzero(np.diff(group, prepend=-1))
        return cls(group=group, label=label, n_rows=n_rows, class_of_group=label[most][first])

    @property
    def sizes(self) -> Array:
        """Rows of each group, shape (n_groups,)."""
        return np.bincount(self.group, self.n_rows).astype(np.int64)

    def of_class(self, number: int) -> Array:
        """Return each group's rows of one class, shape (n_groups,)."""
        is_here = self.label == number
        n_groups = len(self.class_of_group)
        found = np.bincount(self.group[is_here], self.n_rows[is_here], n_groups)
        return found.astype(np.int64)


def make_folds(rows: Rows, n_folds: int, random_state: int) -> list[Fold]:
    """Cut the rows into folds by group or family and by class, seeded.

    Families that groups share leave the training side of a fold that judges them.
    """
    try:
        folds = cut_folds(rows.y.astype(str), rows.groups, n_folds, random_state)
    except ValueError:
        raise TrainingError(
            f"the training side cannot be cut into {n_folds} folds",
            hint="add rows of the smallest classes, or lower search.folds",
        ) from None
    return without_near_rows(folds, rows.near_duplicate_groups)


def sample_groups(
    train: Rows, share: float, n_folds: int, random_state: int
) -> npt.NDArray[np.intp]:
    """Return the rows of a round: whole groups, by class; a larger share holds a smaller one."""
    if share == 1.0:
        return np.arange(len(train))
    return take_share(train.y.astype(str), train.groups, share, 2 * n_folds, random_state)
