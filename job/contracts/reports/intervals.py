"""Confidence intervals of scores."""

from __future__ import annotations

from pydantic import Field

from job.contracts.reports.part import Count, Part, Probability, Rounded

NOT_COVERED = ("pr_auc_ovr", "per-class roc_auc and pr_auc", "calibration_error")


class Interval(Part):
    """An estimate and its confidence interval."""

    value: Rounded = Field(description="The estimate.")
    lower: Rounded = Field(description="Lower bound.")
    upper: Rounded = Field(description="Upper bound.")
    is_by_count: bool = Field(
        False,
        description="Whether all resamples are equal, so that the bounds follow from the number of "
        "groups alone.",
    )


class IntervalReport(Part):
    """The confidence intervals of a model's scores, and how they were computed."""

    method: str
    level: Probability
    n_resamples: Count
    n_rows: Count
    n_groups: Count
    not_covered: tuple[str, ...] = Field(NOT_COVERED, description="Scores without an interval.")
    absent: dict[str, str] = Field(
        default_factory=dict, description="Why a score has no interval, by score."
    )
    scores: dict[str, Interval] = Field(
        description="Interval of each score, which contains the score."
    )
    per_class: dict[str, dict[str, Interval]] = Field(
        description="Intervals of each class, by score."
    )
