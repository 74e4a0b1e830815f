"""Counts of duplicates and near-duplicates, and the optimism of a random split."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from job.contracts.reports.part import Count, Part, Probability


class DuplicateReport(Part):
    """Counts of duplicates in the table that is split."""

    found_by: Literal["text", "embeddings", "none"] = Field(
        "none", description="What was compared to find near-duplicates."
    )
    n_exact_duplicates: Count = Field(0, description="Rows with the same text as an earlier row.")
    n_near_duplicates: Count = Field(
        0,
        description="Number of texts that are near-duplicates of another one, without one text per "
        "group: distinct texts in groups, minus the number of groups.",
    )
    n_groups: Count = Field(0, description="Groups of near-duplicates with more than one text.")
    largest: tuple[Count, ...] = Field(
        (), description="Number of rows of each of the largest groups."
    )
    n_near_official_test: Count = Field(
        0,
        description="Training rows that are near-duplicates of official test rows; they are kept.",
    )


class Optimism(Part):
    """Accuracy of a simple classifier in two cross-validations: by rows, and by groups.

    In folds of single rows, a group can have rows in both training and test data, so the accuracy
    is too high.  Folds of whole groups avoid this.
    """

    estimator: str = Field(description="The simple classifier.")
    n_rows: Count = Field(description="Rows that were cross-validated.")
    folds: Count = Field(description="Folds of the cross-validation.")
    random_accuracy: Probability = Field(description="Accuracy in folds of single rows.")
    leakage_safe_accuracy: Probability = Field(description="Accuracy in folds of whole groups.")
