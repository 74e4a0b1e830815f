"""Scores of slices of the evaluated rows.

A slice is a subset of the rows, such as all rows with one value of a column.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import Count, Part, Probability, Rounded, RoundedProbability

_METHOD = (
    "bootstrap over groups, stratified by class; accuracy between BCa ends with Student's t; upper "
    "bounds for all slices at once by max-T"
)


def _is_worse(score: Mapping[str, Any]) -> bool:
    return bool(score["difference_upper_bound"] < 0)


class SliceScore(Part):
    """One slice compared with all other evaluated rows."""

    column: str
    value: str
    n_rows: Count
    n_groups: Count
    accuracy: Interval
    upper_bound: RoundedProbability = Field(
        description="Upper bound of the accuracy; the bounds of all slices hold simultaneously."
    )
    difference: Rounded = Field(description="Accuracy of the slice minus that of all other rows.")
    difference_upper_bound: Rounded = Field(
        description="Upper bound of the difference; the bounds of all slices hold simultaneously."
    )
    score: Rounded | None = Field(
        description="`search.metric` on the slice; null if it is undefined there."
    )
    is_worse: bool = Field(
        default_factory=_is_worse,
        description="Whether the accuracy is shown to be lower than that of all other rows.",
    )


class SliceReport(Part):
    """The slices of the evaluated rows, worst first."""

    method: str = _METHOD
    metric: str
    level: Probability
    min_rows: Count
    min_groups: Count
    n_not_shown: Count = Field(
        description="Slices with too few rows or groups, in the slice or among all other rows."
    )
    single_valued: tuple[str, ...] = Field(
        description="Columns with a single value, so that all rows are in one slice."
    )
    scores: tuple[SliceScore, ...]
