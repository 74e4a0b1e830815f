"""Parts of evaluation.json that describe the split: sides, classes and duplicates."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from job.contracts.reports.evaluation.parts import Count, Part, Probability


class ClassRows(Part):
    """Rows of one class on both sides."""

    n_train: Count
    n_test: Count
    train_share: Probability
    test_share: Probability


class NearDuplicates(Part):
    """Duplicates of the table, in counts."""

    found_by: Literal["text", "embeddings", "none"]
    n_exact_duplicates: Count
    n_near_duplicates: Count
    n_groups: Count
    largest: list[Count] = Field(description="Rows of the largest groups.")
    n_near_official_test: Count


class Optimism(Part):
    """What a random split would have claimed of one cheap classifier."""

    estimator: str
    n_rows: Count
    folds: Count
    random_accuracy: Probability
    leakage_safe_accuracy: Probability


class Split(BaseModel):
    """What the split did, in counts."""

    model_config = ConfigDict(frozen=True, extra="allow")

    method: str
    key: str
    n_train: Count
    n_test: Count
    n_train_keys: Count
    n_test_keys: Count
    n_dropped_leaking: Count
    n_dropped_rare_class: Count
    n_rare_classes: Count
    n_conflicting_texts: Count
    n_conflicting_rows: Count
    test_only_classes: list[str]
    n_test_only_rows: Count
    classes: dict[str, ClassRows]
    n_rebalanced_classes: Count
    n_large_groups: Count | None = Field(
        None,
        description="Groups above an eighth of their class, which are always trained on. Absent in "
        "files of earlier releases.",
    )
    n_rows_large_groups: Count | None = Field(None, description="Rows of these groups.")
    n_dropped_challenge: Count | None = Field(
        None,
        description="Rows left out as near-duplicates of the challenge set. Absent in files of "
        "earlier releases.",
    )
    class_share_difference: Probability | None = Field(
        None,
        description="Largest difference of a class's share between the sides. Absent in files of "
        "earlier releases.",
    )
    near_duplicates: NearDuplicates
    optimism: Optimism | None
