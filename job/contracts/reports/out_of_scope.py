"""`out_of_scope` of evaluation.json: predictions of requests that belong to none of the classes."""

from __future__ import annotations

from pydantic import Field

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import Count, Part, Probability, RoundedProbability


class EmptyRequest(Part):
    """How the model predicts a request with empty text, an embedding of zeros, and no metadata."""

    predicted: str
    confidence: RoundedProbability
    is_answered: bool


class OutOfScopeRequests(Part):
    """How many requests of the out-of-scope set are answered, and with which classes."""

    n_rows: Count
    n_groups: Count = Field(description="Distinct requests, or groups of the group column.")
    n_answered: Count
    answered: Interval = Field(description="Share of the requests that are answered.")
    level: Probability = Field(description="Confidence level of the interval.")
    median_confidence: RoundedProbability
    predicted: dict[str, Count] = Field(
        description="Requests by predicted class, answered or not; classes with none are absent."
    )


class OutOfScope(Part):
    """Predictions of the published model for requests that belong to none of its classes."""

    threshold: Probability | None = Field(
        description="Minimum confidence of an answer; null: no threshold, so every request counts "
        "as answered."
    )
    empty: EmptyRequest
    requests: OutOfScopeRequests | None = Field(description="null: there is no out-of-scope set.")
