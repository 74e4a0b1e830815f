"""Scores on restandardized batches: batches of embeddings standardized on their own rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import Count, Part, Probability, RoundedProbability

StatedBy = Literal["settings", "suite", "check"]


class BatchScore(Part):
    """Scores of batches in which most rows are of one class."""

    name: str = Field(alias="class")
    accuracy: RoundedProbability = Field(
        description="Accuracy after the batch was standardized on its own rows."
    )
    accuracy_as_given: RoundedProbability = Field(
        description="Accuracy on the same rows with the embeddings of the table."
    )
    accuracy_recentered: RoundedProbability | None = Field(
        description="Accuracy after the consumer recentered the batch; null unless the "
        "model maps rows back to length 1."
    )


def _mean(name: str, report: Mapping[str, Any]) -> float:
    """Return the accuracy in the field `name`, averaged over the classes."""
    accuracies: list[float] = [getattr(score, name) for score in report["classes"]]
    return sum(accuracies) / len(accuracies)


def _mean_recentered(report: Mapping[str, Any]) -> float | None:
    """Return the mean accuracy after recentering, over the classes for which it is known.

    Return None if it is known for no class.
    """
    accuracies = [score.accuracy_recentered for score in report["classes"]]
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    return sum(known) / len(known) if known else None


def _find_worst(report: Mapping[str, Any]) -> BatchScore:
    """Return the score of the class with the lowest accuracy; the first one in a tie."""
    scores: tuple[BatchScore, ...] = report["classes"]
    return min(scores, key=lambda score: score.accuracy)


class StressReport(Part):
    """Scores of the published model on batches with another class mix than the table's."""

    stated_by: StatedBy = Field(
        description="Source of the information that embeddings are standardized per batch."
    )
    share: Probability = Field(
        description="Share of the majority class in a batch; the other classes share the rest "
        "evenly."
    )
    n_batch_rows: Count = Field(description="Rows of a batch.")
    n_draws: Count = Field(description="Batches drawn for each class.")
    n_rows: Count = Field(description="Test rows that batches are drawn from.")
    n_groups: Count
    n_classes_left_out: Count = Field(
        description="Classes without batches: they have too few rows, or there are too many "
        "classes."
    )
    classes: tuple[BatchScore, ...] = Field(
        min_length=1, description="Scores by class, sorted by name."
    )
    accuracy: RoundedProbability = Field(
        default_factory=lambda report: _mean("accuracy", report),
        description="Mean accuracy over the classes.",
    )
    accuracy_as_given: RoundedProbability = Field(
        default_factory=lambda report: _mean("accuracy_as_given", report)
    )
    accuracy_recentered: RoundedProbability | None = Field(default_factory=_mean_recentered)
    worst: BatchScore = Field(
        default_factory=_find_worst, description="Scores of the class with the lowest accuracy."
    )
    interval: Interval | None = Field(
        description="Interval of the mean accuracy, computed over the groups of the drawn rows; "
        "null if there are too few groups."
    )
    level: Probability = Field(description="Confidence level of the interval.")
