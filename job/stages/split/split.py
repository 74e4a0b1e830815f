"""Split a table into training and test rows without leakage between them.

How it works
------------
1. If no set of labels is given, classes with too few leakage keys are dropped.
2. The test rows are the official test set, or whole groups of the table
   (`job.stages.split.holdout`).
3. Training rows that would leak test rows are dropped: near-duplicates of held-out rows, or rows
   that share a text or a group with the official test set.
4. Both sides are counted, and the run fails if a class has too few training groups for the folds of
   the search, or, without an official test set, is missing on a side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.messages import quote_list
from job.contracts.reports.split import SplitReport
from job.contracts.settings.split import SplitSpec
from job.errors import TrainingError
from job.stages.data.leakage_keys import key_kind
from job.stages.data.slices import mark_near_training
from job.stages.split.challenge_halves import ChallengeSet
from job.stages.split.counts import (
    count_conflicts,
    count_duplicates,
    count_groups_by_class,
    count_sides,
    is_among,
)
from job.stages.split.holdout import HoldOut, hold_out
from job.stages.split.near_duplicates import Kind

log = structlog.get_logger(__name__)

Mask = Array
Positions = Array


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSplit:
    """Training and test rows, and the report of the split.

    Attributes
    ----------
    table
        All rows of the table, including dropped ones.
    kept
        Rows of the table except those of rare classes and near-duplicates of the challenge set.
    train_index
        Positions of the training rows in `kept`, shape (n_train,).
    challenge
        The challenge set; neither its requests nor their near-duplicates are trained on.
    """

    train: Rows
    test: Rows
    table: Rows
    kept: Rows
    train_index: Positions
    report: SplitReport
    challenge: ChallengeSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRules:
    """What decides which rows are held out.

    Attributes
    ----------
    has_groups
        Whether the table has a group column.
    labels
        The expected labels.  If None, classes with fewer than `min_groups` leakage keys are
        dropped, because their names would be data rather than schema.
    folds
        Minimum number of training groups per class.
    """

    spec: SplitSpec
    has_groups: bool
    labels: tuple[str, ...] | None
    min_groups: int
    folds: int
    random_state: int


def split_dataset(
    rows: Rows,
    official_test: Rows | None,
    rules: SplitRules,
    near_duplicates: Kind = "none",
) -> DataSplit:
    """Use the official test rows, or hold out a share of the groups.

    All rows of a near-duplicate group, or of a value of the group column if there is one, are on
    the same side.  If values of the group column share near-duplicates, training rows with a
    near-duplicate on the test side are dropped.  With an official test set, training rows with the
    same normalized text or the same group are dropped.

    Raises
    ------
    TrainingError
        A class is missing on a side, or has fewer training groups than there are folds.
    """
    kept, counts = _drop_rare_classes(rows, rules)
    held_out = (
        None
        if official_test is not None
        else hold_out(kept, rules.spec, rules.folds, rules.random_state)
    )
    train_index, test = _choose_sides(kept, official_test, held_out)
    is_leaking = _find_leaking(
        kept.take(train_index),
        test,
        is_official=official_test is not None,
        has_groups=rules.has_groups,
    )
    train_index = train_index[~is_leaking]
    train = kept.take(train_index)
    if official_test is not None:
        test = mark_near_training(test, train)
    report = SplitReport(
        method=rules.spec.method if official_test is None else "official_test",
        key="group" if rules.has_groups else key_kind(kept.leakage_keys),
        n_dropped_leaking=int(is_leaking.sum()),
        near_duplicates=count_duplicates(rows, train, official_test, near_duplicates),
        **counts,
        **_count_rebalanced(held_out),
        **count_sides(train, test, rules.labels or ()),
    )
    _check(report, train, rules)
    return DataSplit(
        train=train, test=test, table=rows, kept=kept, train_index=train_index, report=report
    )


def _choose_sides(
    rows: Rows, official_test: Rows | None, held_out: HoldOut | None
) -> tuple[Array, Rows]:
    """Return the positions of the training rows, and the test rows."""
    if official_test is not None:
        return np.arange(len(rows)), official_test
    assert held_out is not None
    return np.flatnonzero(~held_out.is_test), rows.take(held_out.is_test)


def _count_rebalanced(held_out: HoldOut | None) -> dict[str, int]:
    """Return the counts of the hold-out as fields of `SplitReport`; none for an official test."""
    if held_out is None:
        return {}
    return {
        "n_rebalanced_classes": held_out.n_rebalanced_classes,
        "n_large_groups": held_out.n_large_groups,
        "n_rows_large_groups": held_out.n_rows_large_groups,
    }


def _check(report: SplitReport, train: Rows, rules: SplitRules) -> None:
    """Raise if a class has no rows on a side, or too few groups to train on."""
    if report.method != "official_test":
        _check_sides(report)
    _check_training(train, rules.labels or (), rules.folds)


def _find_leaking(train: Rows, test: Rows, *, is_official: bool, has_groups: bool) -> Mask:
    """Return a mask of the training rows that would leak test rows."""
    if (
        not is_official
        and train.near_duplicate_groups is not None
        and test.near_duplicate_groups is not None
    ):
        is_near: Mask = np.isin(train.near_duplicate_groups, test.near_duplicate_groups)
        return is_near
    is_leaking = is_among(train.text_keys, test.text_keys)
    if is_official and has_groups:
        is_leaking |= is_among(train.leakage_keys, test.leakage_keys)
    return is_leaking


def _drop_rare_classes(rows: Rows, rules: SplitRules) -> tuple[Rows, dict[str, int]]:
    """Return the rows without rare classes, and counts of conflicts and of what was dropped."""
    n_texts, n_rows = count_conflicts(rows)
    counts = {
        "n_conflicting_texts": n_texts,
        "n_conflicting_rows": n_rows,
        "n_dropped_rare_class": 0,
        "n_rare_classes": 0,
    }
    if rules.labels is not None:
        return rows, counts
    labels, _, n_keys = count_groups_by_class(rows, rows.leakage_keys)
    is_rare_class = n_keys < rules.min_groups
    is_rare = is_rare_class[labels]
    n_rare = int(is_rare_class.sum())
    if n_rare:
        log.warning("rare_classes_dropped", n_classes=n_rare, n_rows=int(is_rare.sum()))
    dropped = {"n_dropped_rare_class": int(is_rare.sum()), "n_rare_classes": n_rare}
    return rows.take(~is_rare), {**counts, **dropped}


def _check_sides(report: SplitReport) -> None:
    """Raise if a class has no rows on a side."""
    missing = {
        "training": [name for name, rows in report.classes.items() if rows.n_train == 0],
        "test": [name for name, rows in report.classes.items() if rows.n_test == 0],
    }
    for side, names in missing.items():
        if names:
            raise TrainingError(
                f"no row of class {quote_list(names)} falls on the {side} side",
                hint="add rows of these classes that are not copies of one another, or choose "
                "another split.salt or split.test_fraction; split.min_jaccard says how alike "
                "near-duplicates are, expectations.parameters.labels which classes there are",
            )


def _check_training(train: Rows, labels: tuple[str, ...], folds: int) -> None:
    """Raise if there are fewer than two classes, or a class has fewer groups than folds."""
    _, classes, n_groups = count_groups_by_class(train, train.groups)
    if len(classes) < 2:
        raise TrainingError(
            "the training side has fewer than 2 classes",
            hint="add rows of other classes, or lower features.min_groups",
        )
    small = sorted({*classes[n_groups < folds], *(set(labels) - set(classes))})
    if small:
        raise TrainingError(
            f"class {quote_list(small)} has fewer distinct keys, near-duplicates counted once, on "
            f"the training side than the {folds} folds of the search",
            hint="add rows of these classes that are not copies, or lower search.folds; "
            "split.min_jaccard says how alike near-duplicates are",
        )
