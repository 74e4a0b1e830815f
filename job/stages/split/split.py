"""Hold rows out so that nothing that is judged on was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import structlog

from job.contracts.dataset import Rows
from job.contracts.messages import quote_list
from job.contracts.reports.near_duplicates import DuplicateReport
from job.contracts.reports.split import SplitReport
from job.contracts.settings.split import SplitSpec
from job.errors import TrainingError
from job.stages.data.leakage_keys import key_kind
from job.stages.data.slices import mark_near_training
from job.stages.split.challenge_halves import ChallengeSet
from job.stages.split.holdout import hold_out
from job.stages.split.near_duplicates import Kind

log = structlog.get_logger(__name__)

Mask = np.ndarray[Any, Any]
Positions = np.ndarray[Any, Any]
_N_LARGEST: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSplit:
    """Both sides, and what was done to get them.

    Attributes
    ----------
    table
        All rows of the table, whatever became of them.
    kept
        The table's rows without those of classes that are too rare to learn, and without
        near-duplicates of the challenge set.
    train_index
        Positions of the training rows in `kept`, shape (n_train,).
    challenge
        Requests that nothing is trained on, nor on near-duplicates of them; None without a set.
    """

    train: Rows
    test: Rows
    table: Rows
    kept: Rows
    train_index: Positions
    report: SplitReport
    challenge: ChallengeSet | None = None


def split_dataset(
    rows: Rows,
    official_test: Rows | None,
    spec: SplitSpec,
    *,
    has_groups: bool,
    labels: tuple[str, ...] | None,
    min_groups: int,
    folds: int,
    random_state: int,
    near_duplicates: Kind = "none",
) -> DataSplit:
    """Hold out the official test rows, or a share of the families.

    Rows of one family, or of one group where rows have groups, never fall on both sides.  Training
    rows of a family that also stands on the test side, because groups share it, are dropped; of an
    official test those whose normalized text stands there.  `labels` is the stated set of labels;
    without one (None), classes that fewer than `min_groups` keys hold are dropped: their names
    would be data, not schema.

    Raises
    ------
    TrainingError
        A class is missing on a side, or has fewer training families than there are folds.
    """
    table, held = rows, None
    n_conflicting_keys, n_conflicting_rows = _conflicts(rows)
    n_rare_rows, n_rare = 0, 0
    if labels is None:
        rows, n_rare_rows, n_rare = _drop_rare_classes(rows, min_groups)
    if official_test is None:
        held = hold_out(rows, spec, folds, random_state)
        train_index, test = np.flatnonzero(~held.is_test), rows.take(held.is_test)
    else:
        train_index, test = np.arange(len(rows)), official_test
    leaks = _find_leaks(
        rows.take(train_index), test, is_official=official_test is not None, has_groups=has_groups
    )
    train_index = train_index[~leaks]
    train = rows.take(train_index)
    if official_test is not None:
        test = mark_near_training(test, train)
    report = SplitReport(
        method=spec.method if official_test is None else "official_test",
        key="group" if has_groups else key_kind(rows.leakage_keys),
        n_dropped_leaking=int(leaks.sum()),
        n_dropped_rare_class=n_rare_rows,
        n_rare_classes=n_rare,
        n_conflicting_keys=n_conflicting_keys,
        n_conflicting_rows=n_conflicting_rows,
        n_dealt_classes=held.n_dealt_classes if held else 0,
        n_large_groups=held.n_large_groups if held else 0,
        n_rows_large_groups=held.n_rows_large_groups if held else 0,
        families=_count_families(table, train, official_test, near_duplicates),
        **_sides(train, test, labels or ()),
    )
    if official_test is None:
        _check_sides(report)
    _check_training(train, labels or (), folds)
    return DataSplit(
        train=train, test=test, table=table, kept=rows, train_index=train_index, report=report
    )


def _find_leaks(train: Rows, test: Rows, *, is_official: bool, has_groups: bool) -> Mask:
    """Say which training rows the test side gives away."""
    if (
        not is_official
        and train.near_duplicate_groups is not None
        and test.near_duplicate_groups is not None
    ):
        near: Mask = np.isin(train.near_duplicate_groups, test.near_duplicate_groups)
        return near
    leaks = _is_among(train.text_keys, test.text_keys)
    if is_official and has_groups:
        leaks |= _is_among(train.leakage_keys, test.leakage_keys)
    return leaks


def _count_families(
    table: Rows, train: Rows, official_test: Rows | None, kind: Kind
) -> DuplicateReport:
    keys, names = _coded(table.text_keys)
    n_exact = len(table) - len(names)
    if table.near_duplicate_groups is None or train.near_duplicate_groups is None:
        return DuplicateReport(near_duplicates=kind, n_exact_duplicates=n_exact)
    near_duplicate_groups, numbers = pd.factorize(table.near_duplicate_groups)
    n_texts = np.bincount(
        _pairs(near_duplicate_groups, keys, len(names))[0], minlength=len(numbers)
    )
    is_family = n_texts > 1
    sizes = np.sort(np.bincount(near_duplicate_groups)[is_family])[::-1]
    n_near = 0
    if official_test is not None and official_test.near_duplicate_groups is not None:
        n_near = int(
            np.isin(train.near_duplicate_groups, official_test.near_duplicate_groups).sum()
        )
    return DuplicateReport(
        near_duplicates=kind,
        n_exact_duplicates=n_exact,
        n_near_duplicates=len(names) - len(numbers),
        n_families=int(is_family.sum()),
        largest=tuple(sizes[:_N_LARGEST].tolist()),
        n_near_official_test=n_near,
    )


def _sides(train: Rows, test: Rows, labels: tuple[str, ...]) -> dict[str, Any]:
    """Count both sides, and each class on them."""
    classes = sorted(set(train.y) | set(test.y) | set(labels))
    return {
        "n_train": len(train),
        "n_test": len(test),
        "n_train_keys": len(_coded(train.leakage_keys)[1]),
        "n_test_keys": len(_coded(test.leakage_keys)[1]),
        "test_only_classes": tuple(sorted(set(test.y) - set(train.y))),
        "n_test_only_rows": int((~_is_among(test.y, train.y)).sum()),
        "class_rows": tuple(
            (name, int((train.y == name).sum()), int((test.y == name).sum())) for name in classes
        ),
    }


def _is_among(values: Any, others: Any) -> Mask:
    # NOTE: numpy compares each object with each other one
    found: Mask = pd.Index(values, dtype=object).isin(others)
    return found


def _coded(values: Any) -> tuple[Any, Any]:
    """Return a number for each value, and what the numbers stand for; nothing is copied."""
    codes, names = pd.factorize(np.asarray(values, dtype=object))
    return codes, names


def _conflicts(rows: Rows) -> tuple[int, int]:
    """Count texts that carry more than one label, and their rows."""
    (keys, _), (labels, classes) = _coded(rows.text_keys), _coded(rows.y)
    pair_keys, _ = _pairs(keys, labels, len(classes))
    is_conflicting = np.bincount(pair_keys) > 1
    return int(is_conflicting.sum()), int(is_conflicting[keys].sum())


def _count_keys(rows: Rows, keys: Any) -> tuple[Any, Any, Any]:
    """Return the class of each row as a number, the classes, and how many keys hold each."""
    labels, classes = _coded(rows.y)
    _, pair_labels = _pairs(pd.factorize(keys)[0], labels, len(classes))
    return labels, classes, np.bincount(pair_labels, minlength=len(classes))


def _pairs(keys: Any, labels: Any, n_classes: int) -> tuple[Any, Any]:
    """Return key and label of each pair that occurs."""
    pairs = np.unique(keys * n_classes + labels)
    return pairs // n_classes, pairs % n_classes


def _drop_rare_classes(rows: Rows, min_groups: int) -> tuple[Rows, int, int]:
    labels, _, n_keys = _count_keys(rows, rows.leakage_keys)
    is_rare_class = n_keys < min_groups
    is_rare = is_rare_class[labels]
    n_rare = int(is_rare_class.sum())
    if n_rare:
        log.warning("rare_classes_dropped", n_classes=n_rare, n_rows=int(is_rare.sum()))
    return rows.take(~is_rare), int(is_rare.sum()), n_rare


def _check_sides(report: SplitReport) -> None:
    missing = {
        "training": [name for name, n_train, _ in report.class_rows if n_train == 0],
        "test": [name for name, _, n_test in report.class_rows if n_test == 0],
    }
    for side, names in missing.items():
        if names:
            raise TrainingError(
                f"no row of class {quote_list(names)} falls on the {side} side",
                hint="add rows of these classes that are not copies of one another, or choose "
                "another split.salt or split.test_fraction; split.min_jaccard says how alike "
                "near-duplicates are, expectations.parameters.labels which classes there are",
                classes=names,
            )


def _check_training(train: Rows, labels: tuple[str, ...], folds: int) -> None:
    _, classes, n_groups = _count_keys(train, train.groups)
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
            classes=small,
        )
