"""The report of the split into training and test rows.

Two rows with the same key (their group, or equal content) must be on the same side of the split.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from job.contracts.reports.near_duplicates import DuplicateReport, Optimism
from job.contracts.reports.part import Count, Part, Probability


class ClassRows(Part):
    """Training and test rows of one class, and the class's share of the rows on each side."""

    n_train: Count = Field(description="Training rows.")
    n_test: Count = Field(description="Test rows.")
    train_share: Probability = Field(description="Share of the training rows.")
    test_share: Probability = Field(description="Share of the test rows.")

    @classmethod
    def of(cls, *, n_train: int, n_test: int, n_train_rows: int, n_test_rows: int) -> ClassRows:
        """Compute a class's shares from its counts and from the total counts of both sides."""
        return cls(
            n_train=n_train,
            n_test=n_test,
            train_share=n_train / max(n_train_rows, 1),
            test_share=n_test / max(n_test_rows, 1),
        )


def _find_share_difference(report: Mapping[str, Any]) -> float:
    classes: Mapping[str, ClassRows] = report["classes"]
    return max((abs(c.train_share - c.test_share) for c in classes.values()), default=0.0)


class SplitReport(Part):
    """Counts of rows, keys and classes on both sides of the split."""

    method: str = Field(description="`split.method`, or `official_test`.")
    key: str = Field(
        description="Key that training and test rows must not share: `group`, or the kind of "
        "content that keys are computed from."
    )
    n_train: Count = Field(description="Training rows.")
    n_test: Count = Field(description="Test rows.")
    n_train_keys: Count = Field(description="Distinct keys of the training rows.")
    n_test_keys: Count = Field(description="Distinct keys of the test rows.")
    n_dropped_leaking: Count = Field(
        description="Training rows dropped because they share a key with test rows."
    )
    n_dropped_rare_class: Count = Field(description="Rows dropped because their class is too rare.")
    n_rare_classes: Count = Field(description="Classes that were dropped as too rare.")
    n_conflicting_texts: Count = Field(description="Texts with more than one label.")
    n_conflicting_rows: Count = Field(description="Rows whose text has more than one label.")
    test_only_classes: tuple[str, ...] = Field(
        description="Classes of the test rows that are not among the model's classes."
    )
    n_test_only_rows: Count = Field(
        description="Test rows whose class is not one of the model's classes."
    )
    classes: dict[str, ClassRows] = Field(description="Rows of each class.")
    n_rebalanced_classes: Count = Field(
        0,
        description="Classes that were missing in train or test after the first assignment of "
        "groups, and were rebalanced.",
    )
    n_large_groups: Count = Field(
        0,
        description="Groups with more than an eighth of their class; they are always trained on. "
        "Absent in files of earlier releases.",
    )
    n_rows_large_groups: Count = Field(
        0, description="Rows of the groups that are always trained on."
    )
    n_dropped_challenge: Count = Field(
        0,
        description="Rows left out because they, or near-duplicates of them, are in the challenge "
        "set. Absent in files of earlier releases.",
    )
    class_share_difference: Probability = Field(
        default_factory=_find_share_difference,
        description="Maximum over the classes of |share of the training rows - share of the test "
        "rows|. Absent in files of earlier releases.",
    )
    near_duplicates: DuplicateReport = Field(default_factory=DuplicateReport)
    optimism: Optimism | None = Field(None, description="null: it could not be measured.")
