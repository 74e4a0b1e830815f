"""The part of evaluation.json about requests that belong to none of the classes."""

from __future__ import annotations

from pydantic import Field

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import Count, Part, Probability, RoundedProbability


class EmptyRequest(Part):
    """A request without content: an empty text, an embedding of zeros, or missing metadata."""

    predicted: str
    confidence: RoundedProbability
    is_answered: bool


class OutOfScopeRequests(Part):
    """How many out-of-scope requests the published model answers, and with which classes."""

    n_rows: Count
    n_groups: Count = Field(description="Distinct requests, or groups of the group column.")
    n_answered: Count
    answered: Interval = Field(description="Share of the rows that are answered.")
    level: Probability = Field(description="Confidence level of the interval.")
    median_confidence: RoundedProbability
    predicted: dict[str, Count] = Field(
        description="Rows by predicted class, answered or not; classes without rows are absent."
    )


class OutOfScope(Part):
    """The published model on requests that belong to none of its classes."""

    threshold: Probability | None = Field(
        description="Minimum confidence of an answer; null: no threshold, so every request counts "
        "as answered."
    )
    empty: EmptyRequest
    requests: OutOfScopeRequests | None = Field(description="null: there is no out-of-scope set.")
