"""Cut rows into folds of whole groups with similar class shares.

How it works
------------
1. `cut_folds` makes folds for the search and for out-of-fold predictions, by a seed.  If there are
   few groups, scikit-learn's `StratifiedGroupKFold` assigns them.  If there are many, they are
   shuffled and sorted by class and size.  Each class's groups are then assigned to the folds in
   turn, beginning with the fold that has the fewest rows.
2. `cut_hash_folds` makes folds for the cross-fitted evaluation and the challenge set.  It sorts the
   groups of each class by a hash, and cuts them into parts with equal numbers of rows.  So most
   groups stay in their fold when other groups are added or removed.
3. `drop_near_duplicates` removes training rows that have a near-duplicate among the test rows.
   This happens only if the table has a group column in which near-duplicates have different values;
   otherwise near-duplicates are in the same group.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.errors import TrainingError

Fold = tuple[Array, Array]
# NOTE: StratifiedGroupKFold tries each group in every fold, in Python: about 0.3 ms per group
_MAX_STRATIFIED_GROUPS: Final = 300


def cut_folds(y: Array, groups: Array, n_folds: int, random_state: int) -> list[Fold]:
    """Return each fold's training and test positions; folds have whole groups.

    Class shares are similar in all folds.  Up to 300 groups are assigned by `StratifiedGroupKFold`.
    If there are more, they are shuffled and assigned to the folds in turn: class by class, and
    large groups first.  A group has the class of most of its rows.

    Raises
    ------
    ValueError
        Every class has fewer rows than there are folds.
    """
    unique, group_codes = np.unique(groups, return_inverse=True)
    codes = np.unique(y, return_inverse=True)[1]
    if len(unique) <= _MAX_STRATIFIED_GROUPS:
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)
        return list(splitter.split(codes, codes, group_codes))
    class_of_group = ClassCounts.of(codes, group_codes).class_of_group
    order = np.random.default_rng(random_state).permutation(len(unique))
    sizes = np.bincount(group_codes)
    order = order[np.lexsort((-sizes[order], class_of_group[order]))]
    fold_of_group = np.empty(len(unique), int)
    n_rows = np.zeros(n_folds)
    for members in np.split(order, np.flatnonzero(np.diff(class_of_group[order])) + 1):
        # start with the smallest fold
        fold_of_group[members] = np.argsort(n_rows, kind="stable")[
            np.arange(len(members)) % n_folds
        ]
        n_rows += np.bincount(fold_of_group[members], sizes[members], n_folds)
    fold_of_row = fold_of_group[group_codes]
    return [
        (np.flatnonzero(fold_of_row != n), np.flatnonzero(fold_of_row == n)) for n in range(n_folds)
    ]


def cut_hash_folds(labels: Array, group_of_row: Array, digests: Array, n_folds: int) -> Array:
    """Return the fold of each row, shape (n_rows,); folds have whole groups.

    A group has the class of most of its rows.  The groups of each class are sorted by digest, and
    cut into folds with equal numbers of rows.  A group that crosses a cut belongs to the fold that
    contains the group's middle row.  So class shares are similar in all folds, and most groups stay
    in their fold when other groups are added or removed.  If a class is the most frequent one in no
    group, all its rows can end up in one fold.  The groups with these rows are then assigned to the
    folds in turn.

    Parameters
    ----------
    labels, group_of_row
        Class of each row as a number from 0, and group id of each row, from 0.
    digests
        Salted digest of each group, shape (n_groups,).
    """
    counts = ClassCounts.of(labels, group_of_row)
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


def drop_near_duplicates(folds: Sequence[Fold], near_duplicate_groups: Array | None) -> list[Fold]:
    """Remove from each fold the training rows that are near-duplicates of the fold's test rows.

    Without a group column, no row is removed, because near-duplicates are in the same group.
    """
    if near_duplicate_groups is None:
        return list(folds)
    return [
        (
            train_index[
                ~np.isin(near_duplicate_groups[train_index], near_duplicate_groups[test_index])
            ],
            test_index,
        )
        for train_index, test_index in folds
    ]


def take_share(y: Array, groups: Array, share: float, min_groups: int, random_state: int) -> Array:
    """Draw a share of each class's groups by a seed; return the positions of the groups' rows.

    At least `min_groups` groups of each class are drawn, or all if there are fewer.  With the same
    seed, the rows of a larger share include the rows of a smaller share.
    """
    unique, group_codes = np.unique(groups, return_inverse=True)
    classes, codes = np.unique(y, return_inverse=True)
    order = np.random.default_rng(random_state).permutation(len(unique))
    is_kept = np.zeros(len(unique), bool)
    for n in range(len(classes)):
        has_class = np.zeros(len(unique), bool)
        has_class[group_codes[codes == n]] = True
        members = order[has_class[order]]
        is_kept[members[: max(math.ceil(share * len(members)), min_groups)]] = True
    return np.flatnonzero(is_kept[group_codes])


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCounts:
    """Number of rows of each class in each group.  A group's absent classes have no entry.

    Attributes
    ----------
    group, label, n_rows
        Group id, class and number of rows of each entry, shape (n_entries,), sorted by group, then
        by class.  Group ids and classes are numbers from 0.
    class_of_group
        The most frequent class of each group (the first one in a tie), shape (n_groups,).
    """

    group: Array
    label: Array
    n_rows: Array
    class_of_group: Array

    @classmethod
    def of(cls, labels: Array, group_of_row: Array) -> ClassCounts:
        """Count the rows of each class in each group; group ids must be 0, 1, 2, ..."""
        n_classes = int(labels.max(initial=0)) + 1
        pairs, n_rows = np.unique(group_of_row * n_classes + labels, return_counts=True)
        group, label = pairs // n_classes, pairs % n_classes
        order = np.lexsort((label, -n_rows, group))
        first = np.flatnonzero(np.diff(group, prepend=-1))
        return cls(group=group, label=label, n_rows=n_rows, class_of_group=label[order][first])

    @property
    def sizes(self) -> Array:
        """Total number of rows of each group, shape (n_groups,)."""
        return np.bincount(self.group, self.n_rows).astype(np.int64)

    def count_class(self, number: int) -> Array:
        """Return each group's number of rows of class `number`, shape (n_groups,)."""
        mask = self.label == number
        n_groups = len(self.class_of_group)
        n_rows = np.bincount(self.group[mask], self.n_rows[mask], n_groups)
        return n_rows.astype(np.int64)


def make_folds(rows: Rows, n_folds: int, random_state: int) -> list[Fold]:
    """Cut rows into folds of whole groups by a seed, and apply `drop_near_duplicates`.

    Raises
    ------
    TrainingError
        Every class has fewer rows than there are folds.
    """
    try:
        folds = cut_folds(rows.y.astype(str), rows.groups, n_folds, random_state)
    except ValueError:
        raise TrainingError(
            f"the training rows cannot be split into {n_folds} folds: every class has fewer rows",
            hint="add rows, or lower search.folds",
        ) from None
    return drop_near_duplicates(folds, rows.near_duplicate_groups)


def sample_groups(
    train: Rows, share: float, n_folds: int, random_state: int
) -> npt.NDArray[np.intp]:
    """Draw a share of the groups by `take_share`: at least `2 * n_folds` groups per class."""
    if share == 1.0:
        return np.arange(len(train))
    return take_share(train.y.astype(str), train.groups, share, 2 * n_folds, random_state)
