"""Check that a split leaves enough rows of each class to train and to test."""

from __future__ import annotations

from typing import Final

from job.contracts.dataset import Rows
from job.contracts.reports.split import SplitReport
from job.errors import TrainingError
from job.stages.split.class_names import quote_classes
from job.stages.split.counts import count_groups_by_class

_MIN_FOLDS: Final = 2  # of search.folds


def check_sides(report: SplitReport, labels: tuple[str, ...]) -> None:
    """Raise if a class has no training rows or no test rows."""
    missing = {
        "training": [name for name, rows in report.classes.items() if rows.n_train == 0],
        "test": [name for name, rows in report.classes.items() if rows.n_test == 0],
    }
    for side, names in missing.items():
        if names:
            named = quote_classes(names, report.classes, labels)
            raise TrainingError(
                f"no row of {named} is on the {side} side of the split",
                hint="add rows of these classes that are not copies of one another, or change "
                "split.salt or split.test_fraction; with a higher split.min_jaccard, fewer "
                "texts are near-duplicates",
            )


def check_training(train: Rows, labels: tuple[str, ...], folds: int) -> None:
    """Raise if there are fewer than two classes, or fewer than `folds` groups of a class."""
    _, classes, n_groups = count_groups_by_class(train, train.groups)
    if len(classes) < 2:
        raise TrainingError(
            "the training rows have fewer than 2 classes",
            hint="add rows of other classes",
        )
    small = sorted({*classes[n_groups < folds], *(set(labels) - set(classes))})
    if small:
        named = quote_classes(small, {*classes, *labels}, labels)
        counts = dict(zip(classes.tolist(), n_groups.tolist(), strict=True))
        fewest = min(counts.get(name, 0) for name in small)
        fewer = f", or use --set search.folds={fewest}" if fewest >= _MIN_FOLDS else ""
        raise TrainingError(
            f"too few groups in the training rows of {named}; expected one for each of the "
            f"{folds} folds of the search (near-duplicates are one group)",
            hint=f"add rows of these classes that are not copies of one another{fewer}",
        )
