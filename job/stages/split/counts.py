"""Count duplicates, conflicting labels, classes and groups, for the split and its report.

The two sides of a split are the training rows and the test rows."""

from __future__ import annotations

from typing import Final, TypedDict

import numpy as np
import pandas as pd

from job.contracts.arrays import Array, Ints, Mask, Strings
from job.contracts.dataset import Rows
from job.contracts.reports.near_duplicates import DuplicateReport
from job.contracts.reports.split import ClassRows
from job.stages.split.near_duplicates import Kind

_N_LARGEST: Final = 10


class SideCounts(TypedDict):
    """Fields of `SplitReport` that count training and test rows."""

    n_train: int
    n_test: int
    n_train_keys: int
    n_test_keys: int
    test_only_classes: tuple[str, ...]
    n_test_only_rows: int
    classes: dict[str, ClassRows]


def count_duplicates(
    table: Rows, train: Rows, official_test: Rows | None, kind: Kind
) -> DuplicateReport:
    """Count exact duplicates and near-duplicates of the table."""
    keys, unique_keys = _factorize(table.text_keys)
    n_exact = len(table) - len(unique_keys)
    if table.near_duplicate_groups is None or train.near_duplicate_groups is None:
        return DuplicateReport(found_by=kind, n_exact_duplicates=n_exact)
    groups, numbers = pd.factorize(table.near_duplicate_groups)
    pair_groups, _ = _unique_pairs(groups, keys, len(unique_keys))
    has_several_texts = np.bincount(pair_groups, minlength=len(numbers)) > 1
    sizes = np.sort(np.bincount(groups)[has_several_texts])[::-1]
    n_near = 0
    if official_test is not None and official_test.near_duplicate_groups is not None:
        is_near = np.isin(train.near_duplicate_groups, official_test.near_duplicate_groups)
        n_near = int(is_near.sum())
    return DuplicateReport(
        found_by=kind,
        n_exact_duplicates=n_exact,
        n_near_duplicates=len(unique_keys) - len(numbers),
        n_groups=int(has_several_texts.sum()),
        largest=tuple(sizes[:_N_LARGEST].tolist()),
        n_near_official_test=n_near,
    )


def count_sides(train: Rows, test: Rows, labels: tuple[str, ...]) -> SideCounts:
    """Count rows, leakage keys and classes of training and test rows."""
    classes = sorted(set(train.y) | set(test.y) | set(labels))
    return {
        "n_train": len(train),
        "n_test": len(test),
        "n_train_keys": len(_factorize(train.leakage_keys)[1]),
        "n_test_keys": len(_factorize(test.leakage_keys)[1]),
        "test_only_classes": tuple(sorted(set(test.y) - set(train.y))),
        "n_test_only_rows": int((~is_among(test.y, train.y)).sum()),
        "classes": {
            name: ClassRows.of(
                n_train=int((train.y == name).sum()),
                n_test=int((test.y == name).sum()),
                n_train_rows=len(train),
                n_test_rows=len(test),
            )
            for name in classes
        },
    }


def count_conflicts(rows: Rows) -> tuple[int, int]:
    """Return the number of texts that have several labels, and the number of their rows.

    Texts that are equal after normalization (equal text keys) count as one text.
    """
    (keys, _), (labels, classes) = _factorize(rows.text_keys), _factorize(rows.y)
    pair_keys, _ = _unique_pairs(keys, labels, len(classes))
    is_conflicting = np.bincount(pair_keys) > 1
    return int(is_conflicting.sum()), int(is_conflicting[keys].sum())


def count_groups_by_class(rows: Rows, groups: Array) -> tuple[Ints, Strings, Ints]:
    """Return each row's class as a number, the class names, and the number of groups per class.

    Parameters
    ----------
    groups
        Group id or person of each row, shape (n_rows,).
    """
    labels, classes = _factorize(rows.y)
    _, pair_labels = _unique_pairs(pd.factorize(groups)[0], labels, len(classes))
    return labels, classes, np.bincount(pair_labels, minlength=len(classes))


def is_among(values: Strings, others: Strings) -> Mask:
    """Return a mask of `values`: true where a value occurs in `others`."""
    # NOTE: np.isin compares every object with every other object
    mask: Mask = pd.Index(values, dtype=object).isin(others)
    return mask


def _factorize(values: Strings) -> tuple[Ints, Strings]:
    """Return each value as a number, and the distinct values, without copying strings."""
    codes, unique = pd.factorize(np.asarray(values, dtype=object))
    return codes, unique


def _unique_pairs(keys: Ints, labels: Ints, n_labels: int) -> tuple[Ints, Ints]:
    """Return the distinct pairs of key and label, as two arrays: keys and labels."""
    pairs = np.unique(keys * n_labels + labels)
    return pairs // n_labels, pairs % n_labels
