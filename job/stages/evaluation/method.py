"""Choose the method of evaluation: hold-out, official test or cross-fitting."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from job.contracts.settings.evaluation import EvaluationSpec
from job.errors import TrainingError
from job.stages.metrics.group_sums import MIN_EFFECTIVE_GROUPS, effective_groups
from job.stages.split.split import DataSplit

Method = Literal["holdout", "cross_fit", "official_test"]
_MIN_FOLDS: Final = 3


def may_cross_fit(split: DataSplit, spec: EvaluationSpec) -> bool:
    """Return whether the settings and the split allow a cross-fitted evaluation."""
    if split.report.method == "official_test":
        return False
    return spec.method == "cross_fit" or (spec.method == "auto" and has_few_groups(split))


def choose_method(split: DataSplit, spec: EvaluationSpec, n_folds: int | None) -> Method:
    """Return the configured method, or the one that `auto` selects for this split.

    Parameters
    ----------
    n_folds
        Number of folds that the table can be cut into; None if it cannot be cut.  `auto` selects
        cross-fitting only with three or more folds.

    Raises
    ------
    TrainingError
        `evaluation.method` is `cross_fit`, and the table cannot be cut into folds.
    """
    if split.report.method == "official_test":
        return "official_test"
    if spec.method == "cross_fit" and n_folds is None:
        raise TrainingError(
            "the table cannot be split into folds for a cross-fitted evaluation: in some fold, a "
            "class would have no training rows",
            hint="add groups of the smallest classes, or use --set evaluation.method=auto, which "
            "then evaluates on the hold-out",
        )
    if spec.method != "auto":
        return spec.method
    has_folds = n_folds is not None and n_folds >= _MIN_FOLDS
    return "cross_fit" if has_folds and has_few_groups(split) else "holdout"


def has_few_groups(split: DataSplit) -> bool:
    """Return whether the hold-out, or a class in it, has too few effective groups."""
    y, groups = np.asarray(split.test.y, dtype=object), split.test.groups
    classes = np.unique(y.astype(str))
    if effective_groups(groups) < MIN_EFFECTIVE_GROUPS:
        return True
    min_groups = MIN_EFFECTIVE_GROUPS / max(len(classes), 1)
    return any(effective_groups(groups[y == name]) < min_groups for name in classes)
