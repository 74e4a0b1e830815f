"""`challenge` of evaluation.json: scores on real requests in people's own words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from job.contracts.reports.intervals import IntervalReport
from job.contracts.reports.part import Count, Part
from job.contracts.reports.scores import ClassScores, Scores

Purpose = Literal["choice", "threshold"]


class Challenge(Part):
    """Scores of the published model on the challenge set, which it was not trained on."""

    judged: Literal["all", "half"] = Field(
        description="Whether all rows of the set or half of them were evaluated."
    )
    n_rows: Count = Field(description="Rows that were evaluated.")
    n_groups: Count = Field(description="Groups of near-duplicates among the evaluated rows.")
    n_set_rows: Count = Field(description="Rows of the complete set.")
    n_smallest_class: Count = Field(
        description="Evaluated rows of the class that has the fewest, among the table's classes."
    )
    n_dropped_from_training: Count = Field(
        description="Rows of the table that were left out as near-duplicates of the set."
    )
    used_for: tuple[Purpose, ...] = Field(
        description="What rows of the set were used for, besides evaluation."
    )
    is_used_up: bool = Field(
        description="Whether the candidate was chosen by its scores on the evaluated rows; if "
        "so, these scores are too high."
    )
    classes: tuple[str, ...] = Field(description="Sorted classes; the order of `confusion`.")
    scores: Scores
    per_class: dict[str, ClassScores]
    confusion: tuple[tuple[Count, ...], ...] = Field(
        description="Confusion matrix: lines are true classes, columns are predicted classes."
    )
    intervals: IntervalReport
