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
    leaks = np.isin(_as_text(train.text_keys), _as_text(np.unique(test.text_keys)))
    if official_test is not None and has_groups:
        leaks |= np.isin(_as_text(train.keys), _as_text(np.unique(test.keys)))
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
        "n_train_keys": len(np.unique(train.keys)),
        "n_test_keys": len(np.unique(test.keys)),
        "test_only_classes": tuple(sorted(set(test.y) - set(train.y))),
        "n_test_only_rows": int((~np.isin(_as_text(test.y), _as_text(np.unique(train.y)))).sum()),
        "class_rows": tuple(
            (name, int((train.y == name).sum()), int((test.y == name).sum())) for name in classes
        ),
    }


def _as_text(values: Any) -> Any:
    return pd.array(values, dtype=object).to_numpy()


def _choose(rows: Rows, spec: SplitSpec, random_state: int) -> Mask:
    if spec.method == "hash":
        unique, inverse = np.unique(rows.keys, return_inverse=True)
        chosen: Mask = is_held_out(unique, spec.salt, spec.test_fraction)[inverse]
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


def _conflicts(rows: Rows) -> tuple[int, int]:
    """Count texts that carry more than one label, and their rows."""
    pairs = pd.DataFrame({"key": rows.text_keys, "y": rows.y})
    n_labels = pairs.groupby("key", sort=False)["y"].transform("nunique")
    conflicting = pairs[n_labels > 1]
    return int(conflicting["key"].nunique()), len(conflicting)


def _drop_rare_classes(rows: Rows, min_groups: int) -> tuple[Rows, int, int]:
    pairs = pd.DataFrame({"key": rows.keys, "y": rows.y})
    n_keys = pairs.groupby("y")["key"].nunique()
    rare = n_keys.index[n_keys < min_groups]
    is_rare = pairs["y"].isin(rare).to_numpy()
    if len(rare):
        log.warning("rare_classes_dropped", n_classes=len(rare), n_rows=int(is_rare.sum()))
    return rows.take(~is_rare), int(is_rare.sum()), len(rare)


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
    counts = pd.DataFrame({"key": train.keys, "y": train.y}).groupby("y")["key"].nunique()
    if len(counts) < 2:
        raise TrainingError(
            "the training side has fewer than 2 classes",
            hint="add rows of other classes, or lower features.min_groups",
        )
    small = sorted({*counts.index[counts < folds], *(set(labels) - set(counts.index))})
    if small:
        raise TrainingError(
            f"class {shortened(small)} has fewer distinct keys on the training side than the "
            f"{folds} folds of the search",
            hint="add rows of these classes, or lower search.folds",
            classes=small,
        )
