"""Hold rows out so that nothing that is judged on was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import structlog

from job.contracts.dataset import Rows
from job.contracts.lists import shortened
from job.contracts.reports import SplitReport
from job.contracts.specs import SplitSpec
from job.errors import TrainingError
from job.stages.folds import cut_folds
from job.stages.keys import is_held_out, key_kind

log = structlog.get_logger(__name__)

Mask = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSplit:
    """Both sides, and what was done to get them."""

    train: Rows
    test: Rows
    report: SplitReport


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
) -> DataSplit:
    """Hold out the official test rows, or a share of the keys.

    Rows of one key never fall on both sides.  Training rows whose normalised text also stands on
    the test side are dropped.  `labels` is the stated set of labels; without one (None), classes
    that fewer than `min_groups` keys hold are dropped: their names would be data, not schema.

    Raises
    ------
    TrainingError
        A class is missing on a side, or has fewer training keys than there are folds.
    """
    n_conflicting_keys, n_conflicting_rows = _conflicts(rows)
    n_rare_rows, n_rare = 0, 0
    if labels is None:
        rows, n_rare_rows, n_rare = _drop_rare_classes(rows, min_groups)
    if official_test is None:
        is_test = _choose(rows, spec, random_state)
        train, test = rows.take(~is_test), rows.take(is_test)
    else:
        train, test = rows, official_test
    leaks = _is_among(train.text_keys, test.text_keys)
    if official_test is not None and has_groups:
        leaks |= _is_among(train.keys, test.keys)
    train = train.take(~leaks)
    report = SplitReport(
        method=spec.method if official_test is None else "official_test",
        key="group" if has_groups else key_kind(rows.keys),
        n_dropped_leaking=int(leaks.sum()),
        n_dropped_rare_class=n_rare_rows,
        n_rare_classes=n_rare,
        n_conflicting_keys=n_conflicting_keys,
        n_conflicting_rows=n_conflicting_rows,
        **_sides(train, test, labels or ()),
    )
    if official_test is None:
        _check_sides(report)
    _check_training(train, labels or (), folds)
    return DataSplit(train=train, test=test, report=report)


def _sides(train: Rows, test: Rows, labels: tuple[str, ...]) -> dict[str, Any]:
    """Count both sides, and each class on them."""
    classes = sorted(set(train.y) | set(test.y) | set(labels))
    return {
        "n_train": len(train),
        "n_test": len(test),
        "n_train_keys": len(_coded(train.keys)[1]),
        "n_test_keys": len(_coded(test.keys)[1]),
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


def _choose(rows: Rows, spec: SplitSpec, random_state: int) -> Mask:
    if spec.method == "hash":
        codes, keys = _coded(rows.keys)
        chosen: Mask = is_held_out(keys, spec.salt, spec.test_fraction)[codes]
        return chosen
    share = max(Fraction(spec.test_fraction).limit_denominator(100), Fraction(1, 100))
    n_splits = share.denominator
    is_test = np.zeros(len(rows), bool)
    try:
        folds = cut_folds(rows.y.astype(str), rows.keys, n_splits, random_state)
        for _, test in folds[: share.numerator]:
            is_test[test] = True
    except ValueError:
        raise TrainingError(
            f"the table cannot be split into {n_splits} parts by key: its largest class has "
            "fewer rows than that",
            hint="add rows, or choose a split.test_fraction such as 0.2 or 0.25",
        ) from None
    return is_test


def _coded(values: Any) -> tuple[Any, Any]:
    """Give a number for each value, and what the numbers stand for; nothing is copied."""
    codes, names = pd.factorize(np.asarray(values, dtype=object))
    return codes, names


def _conflicts(rows: Rows) -> tuple[int, int]:
    """Count texts that carry more than one label, and their rows."""
    (keys, _), (labels, classes) = _coded(rows.text_keys), _coded(rows.y)
    pair_keys, _ = _pairs(keys, labels, len(classes))
    is_conflicting = np.bincount(pair_keys) > 1
    return int(is_conflicting.sum()), int(is_conflicting[keys].sum())


def _count_keys(rows: Rows) -> tuple[Any, Any, Any]:
    """Give the class of each row as a number, the classes, and how many keys hold each."""
    (keys, _), (labels, classes) = _coded(rows.keys), _coded(rows.y)
    _, pair_labels = _pairs(keys, labels, len(classes))
    return labels, classes, np.bincount(pair_labels, minlength=len(classes))


def _pairs(keys: Any, labels: Any, n_classes: int) -> tuple[Any, Any]:
    """Give key and label of each pair that occurs."""
    pairs = np.unique(keys * n_classes + labels)
    return pairs // n_classes, pairs % n_classes


def _drop_rare_classes(rows: Rows, min_groups: int) -> tuple[Rows, int, int]:
    labels, _, n_keys = _count_keys(rows)
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
                f"no row of class {shortened(names)} falls on the {side} side",
                hint="add rows of these classes, or choose another split.salt or "
                "split.test_fraction; expectations.parameters.labels states which there are",
                classes=names,
            )


def _check_training(train: Rows, labels: tuple[str, ...], folds: int) -> None:
    _, classes, n_keys = _count_keys(train)
    if len(classes) < 2:
        raise TrainingError(
            "the training side has fewer than 2 classes",
            hint="add rows of other classes, or lower features.min_groups",
        )
    small = sorted({*classes[n_keys < folds], *(set(labels) - set(classes))})
    if small:
        raise TrainingError(
            f"class {shortened(small)} has fewer distinct keys on the training side than the "
            f"{folds} folds of the search",
            hint="add rows of these classes, or lower search.folds",
            classes=small,
        )
