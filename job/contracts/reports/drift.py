"""The drift of a table from the table that the champion was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from job.contracts.reports.part import Count, Part, Rounded
from job.contracts.reports.published_file import PublishedFile

Measure = Literal[
    "psi", "jensen_shannon", "missing", "class_share", "unseen_words", "mean_shift", "lost_variance"
]


def _exceeds_limits(measure: Mapping[str, Any]) -> bool:
    threshold, null_quantile = measure["threshold"], measure["null_quantile"]
    return threshold is not None and bool(measure["value"] > max(threshold, null_quantile or 0))


class DriftMeasure(Part):
    """One drift measure of one subject, such as a column or the text length."""

    subject: str = Field(
        description="`classes`, `class <name>`, `column <name>`, `text length`, `words` or "
        "`embeddings`."
    )
    measure: Measure = Field(description="Name of the measure.")
    value: Rounded = Field(description="Value of the measure.")
    null_quantile: Rounded | None = Field(
        None,
        description="99.9th percentile of the measure for two tables of these sizes from the same "
        "distribution; null if it is unknown.",
    )
    threshold: Rounded | None = Field(
        None, description="Maximum allowed value; null if the measure is informational only."
    )
    before: Rounded | None = Field(
        None, description="Value in the champion's table, if the measure is a change."
    )
    after: Rounded | None = Field(
        None, description="Value in this table, if the measure is a change."
    )
    is_drift: bool = Field(
        default_factory=_exceeds_limits,
        description="Whether `value` exceeds both `threshold` and `null_quantile`.",
    )

    def describe(self) -> str:
        """Return a line about the measure for a log event or an error."""
        limit = max(self.threshold or 0, self.null_quantile or 0)
        return f"{self.subject}: {self.measure} {self.value:.3g}, maximum {limit:.3g}"


class DriftReport(PublishedFile):
    """Drift measures of the run's table, compared with the champion's table."""

    champion: str = Field(description="Version of the champion.")
    n_rows: Count = Field(0, description="Rows of the table.")
    n_groups: Count = Field(
        0, description="Values of the group column; groups of near-duplicates if it is absent."
    )
    n_rows_before: Count = Field(0, description="Rows of the champion's table.")
    n_groups_before: Count = Field(0, description="Groups of the champion's table.")
    measures: tuple[DriftMeasure, ...] = Field((), description="All drift measures.")
    missing_subjects: tuple[str, ...] = Field(
        (),
        description="Subjects of the champion's table that are missing in this table or "
        "have a different type.",
    )
    not_compared: tuple[str, ...] = Field(
        (), description="Subjects for which the champion's profile has no values, or too few."
    )
    problem: str = Field("", description="Why nothing could be compared; empty otherwise.")

    @property
    def findings(self) -> tuple[str, ...]:
        """One line for each subject that has drifted."""
        drifted = (measure.describe() for measure in self.measures if measure.is_drift)
        return (
            *(f"{subject}: missing, or of a different type" for subject in self.missing_subjects),
            *drifted,
        )
