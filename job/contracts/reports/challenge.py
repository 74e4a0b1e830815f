"""The part of evaluation.json about the challenge set: real requests in people's own words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from job.contracts.reports.intervals import IntervalReport
from job.contracts.reports.part import Count, Part
from job.contracts.reports.scores import ClassScores, Scores

Purpose = Literal["choice", "threshold"]


class Challenge(Part):
    """The published model on the challenge set, which it was not trained on."""

    judged: Literal["all", "half"] = Field(description="Which part of the set was judged.")
    n_rows: Count = Field(description="Rows that were judged.")
    n_groups: Count = Field(description="Their groups of near-duplicates.")
    n_set_rows: Count = Field(description="Rows of the whole set.")
    n_smallest_class: Count = Field(
        description="Judged rows of the table's class that has the fewest of them."
    )
    n_dropped_from_training: Count = Field(
        description="Rows of the table that were left out as near-duplicates of the set."
    )
    used_for: tuple[Purpose, ...] = Field(description="What else rows of the set have decided.")
    is_used_up: bool = Field(
        description="Whether the judged rows have chosen the candidate, so that its scores on them "
        "are too high."
    )
    classes: tuple[str, ...] = Field(description="Sorted; the order of `confusion`.")
    scores: Scores
    per_class: dict[str, ClassScores]
    confusion: tuple[tuple[Count, ...], ...] = Field(description="Rows are true classes.")
    intervals: IntervalReport
