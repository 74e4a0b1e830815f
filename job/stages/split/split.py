"""Split a table into training and test rows without leakage between them.

How it works
------------
1. Classes of too few persons are dropped, unless the expected labels list them
   (`job.stages.split.class_names`).
2. The test rows are the official test set, or whole groups of the table
   (`job.stages.split.holdout`).
3. Training rows that would leak information about test rows are dropped.  These are near-duplicates
   of held-out rows, or rows that share a text or a group with the official test set.
4. Rows of both sides (training and test) are counted.  The run fails if a class has fewer training
   groups than the search has folds.  Without an official test set, it also fails if a class is
   missing on a side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from job.contracts.arrays import Ints, Mask
from job.contracts.dataset import Rows
from job.contracts.reports.near_duplicates import DuplicateReport
from job.contracts.reports.split import SplitReport
from job.contracts.settings.job_settings import JobSettings
from job.contracts.settings.split import SplitSpec
from job.contracts.shown_names import MIN_HOLDERS
from job.stages.data.leakage_keys import key_kind
from job.stages.data.slices import mark_near_training
from job.stages.split.challenge_halves import ChallengeSet
from job.stages.split.checks import check_sides, check_training
from job.stages.split.class_names import RareClasses, drop_rare_classes, pool_official_test
from job.stages.split.counts import (
    count_conflicts,
    count_duplicates,
    count_sides,
    is_among,
)
from job.stages.split.holdout import HoldOut, hold_out
from job.stages.split.near_duplicates import Kind

Positions = Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSplit:
    """Training and test rows, and the report of the split.

    Attributes
    ----------
    table
        All rows of the table, including dropped ones.
    kept
        Rows of the table, without rare classes and without near-duplicates of the challenge set.
    train_index
        Positions of the training rows in `kept`, shape (n_train,).
    challenge
        The challenge set.  Its requests and their near-duplicates are not used for training.
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
    """The settings that a split depends on.

    Attributes
    ----------
    has_groups
        Whether the table has a group column.
    labels
        The expected labels; None if there are none.
    min_groups
        Minimum number of persons of a class.  Rarer classes that `labels` does not list are
        dropped: the name of a rare class could reveal the content of a row.
    folds
        Minimum number of training groups per class.
    """

    spec: SplitSpec
    has_groups: bool
    labels: tuple[str, ...] | None
    min_groups: int
    folds: int
    random_state: int

    @classmethod
    def of(cls, settings: JobSettings, labels: tuple[str, ...] | None) -> SplitRules:
        """Return the rules from the settings and the expected labels."""
        return cls(
            spec=settings.split,
            has_groups=settings.dataset.columns.group is not None,
            labels=labels,
            min_groups=max(settings.features.min_groups, MIN_HOLDERS),
            folds=settings.search.folds,
            random_state=settings.random_state,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """Training and test rows; `held_out` is None if the test rows are the official test set."""

    train: Rows
    test: Rows
    train_index: Positions
    n_leaking: int
    held_out: HoldOut | None


def split_dataset(
    rows: Rows, official_test: Rows | None, rules: SplitRules, near_duplicates: Kind = "none"
) -> DataSplit:
    """Split the table; the test rows are the official test set, or a share of the groups.

    Without a group column, near-duplicates are on the same side of the split.  With a group column,
    rows with the same value in this column are on the same side, and training rows with
    near-duplicates among the test rows are dropped.  With an official test set, training rows that
    share a normalized text or a group with a test row are dropped instead.

    Parameters
    ----------
    near_duplicates
        How near-duplicates were found (text, embeddings or not at all), for the report.

    Raises
    ------
    TrainingError
        Fewer than two classes are left, or one has no test row or too few training groups.
    ContractViolationError
        No official test row has a class of the table.
    """
    labels = rules.labels or ()
    kept, rare = drop_rare_classes(rows, labels, rules.min_groups)
    if official_test is not None:
        official_test = pool_official_test(official_test, {*kept.y, *labels})
    sides = _cut(kept, official_test, rules)
    duplicates = count_duplicates(rows, sides.train, official_test, near_duplicates)
    report = _make_report(rows, kept, sides, rare, duplicates, rules)
    if official_test is None:
        check_sides(report, labels)
    check_training(sides.train, labels, rules.folds)
    return DataSplit(
        train=sides.train,
        test=sides.test,
        table=rows,
        kept=kept,
        train_index=sides.train_index,
        report=report,
    )


def _cut(rows: Rows, official_test: Rows | None, rules: SplitRules) -> _Sides:
    """Return training and test rows, without training rows that would leak (`_find_leaking`)."""
    if official_test is None:
        held_out = hold_out(rows, rules.spec, rules.folds, rules.random_state)
        train_index, test = np.flatnonzero(~held_out.is_test), rows.take(held_out.is_test)
    else:
        held_out, train_index, test = None, np.arange(len(rows)), official_test
    is_leaking = _find_leaking(
        rows.take(train_index),
        test,
        is_official=official_test is not None,
        has_groups=rules.has_groups,
    )
    train_index = train_index[~is_leaking]
    train = rows.take(train_index)
    return _Sides(
        train=train,
        test=test if official_test is None else mark_near_training(test, train),
        train_index=train_index,
        n_leaking=int(is_leaking.sum()),
        held_out=held_out,
    )


def _make_report(
    table: Rows,
    kept: Rows,
    sides: _Sides,
    rare: RareClasses,
    duplicates: DuplicateReport,
    rules: SplitRules,
) -> SplitReport:
    held_out = sides.held_out
    n_conflicting_texts, n_conflicting_rows = count_conflicts(table)
    return SplitReport(
        method="official_test" if held_out is None else rules.spec.method,
        key="group" if rules.has_groups else key_kind(kept.leakage_keys),
        n_dropped_leaking=sides.n_leaking,
        n_dropped_rare_class=rare.n_rows,
        n_rare_classes=rare.n_classes,
        n_conflicting_texts=n_conflicting_texts,
        n_conflicting_rows=n_conflicting_rows,
        n_rebalanced_classes=held_out.n_rebalanced_classes if held_out else 0,
        n_large_groups=held_out.n_large_groups if held_out else 0,
        n_rows_large_groups=held_out.n_rows_large_groups if held_out else 0,
        near_duplicates=duplicates,
        **count_sides(sides.train, sides.test, rules.labels or ()),
    )


def _find_leaking(train: Rows, test: Rows, *, is_official: bool, has_groups: bool) -> Mask:
    """Return a mask of the training rows that would leak information about test rows."""
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
