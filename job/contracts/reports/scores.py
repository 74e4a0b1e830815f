"""The scores of a model on the evaluated rows, its curves, its calibration and its latency."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from job.contracts.reports.part import (
    Count,
    NonNegative,
    Part,
    Probability,
    Rounded,
    RoundedProbability,
    is_none,
)

Scores = dict[str, float]


class ClassScores(Part):
    """One class against the rest."""

    precision: Probability
    recall: Probability
    f1: Probability
    n_test: Count
    roc_auc: Probability | None = Field(
        None, exclude_if=is_none, description="Absent where it is not defined."
    )
    pr_auc: Probability | None = Field(
        None, exclude_if=is_none, description="Absent where it is not defined."
    )


class Curves(Part):
    """Points of the two curves of a class, on a grid of their horizontal axes."""

    false_positive_rate: tuple[Probability, ...]
    true_positive_rate: tuple[Probability, ...]
    recall: tuple[Probability, ...]
    precision: tuple[Probability, ...]


class Bins(Part):
    """Rows by confidence, in bins of about as many rows each."""

    confidence: tuple[Probability, ...] = Field(description="Mean of each bin.")
    accuracy: tuple[Probability, ...] = Field(description="Share that came true.")
    n_rows: tuple[Count, ...]


class ClassReliability(Part):
    """The probability of one class, against its share of the rows that were given it."""

    calibration_error: RoundedProbability
    brier: RoundedProbability
    bins: Bins


class Reliability(Part):
    """Whether confidence means what it says, of rows whose class the model knows."""

    min_rows: Count = Field(description="No bin has fewer rows.")
    bins: Bins = Field(description="Of the predicted class.")
    per_class: dict[str, ClassReliability]


class RiskCoverage(Part):
    """Share of wrong answers by the share of rows that are answered, surest first."""

    area: RoundedProbability = Field(description="Mean risk over all coverages.")
    coverage: tuple[Probability, ...]
    risk: tuple[Probability, ...]
    threshold: tuple[Probability, ...] = Field(description="Least confidence among the answered.")


class Latency(Part):
    """Time of predictions of one row each."""

    p50_ms: NonNegative
    p95_ms: NonNegative


class ProbabilityLosses(Part):
    """Losses of probabilities on the evaluated rows."""

    calibration_error: RoundedProbability
    log_loss: Rounded
    brier: RoundedProbability


class Temperature(Part):
    """The number that divides the logits, learned out of fold on the training rows."""

    temperature: Annotated[float, Field(gt=0)]
    before: ProbabilityLosses
    after: ProbabilityLosses
