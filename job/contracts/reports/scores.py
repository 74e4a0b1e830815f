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
    """Scores of one class against all other classes."""

    precision: Probability
    recall: Probability
    f1: Probability
    n_test: Count
    roc_auc: Probability | None = Field(
        None, exclude_if=is_none, description="Absent if it is undefined."
    )
    pr_auc: Probability | None = Field(
        None, exclude_if=is_none, description="Absent if it is undefined."
    )


class Curves(Part):
    """Points of the ROC and precision-recall curves of a class, on fixed horizontal grids."""

    false_positive_rate: tuple[Probability, ...]
    true_positive_rate: tuple[Probability, ...]
    recall: tuple[Probability, ...]
    precision: tuple[Probability, ...]


class Bins(Part):
    """Accuracy of rows that are sorted by confidence into bins of about equal size."""

    confidence: tuple[Probability, ...] = Field(description="Mean confidence of each bin.")
    accuracy: tuple[Probability, ...] = Field(description="Share of correct rows of each bin.")
    n_rows: tuple[Count, ...]


class ClassReliability(Part):
    """Calibration of one class: its predicted probability compared with its share of the rows."""

    calibration_error: RoundedProbability
    brier: RoundedProbability
    bins: Bins


class Reliability(Part):
    """Calibration: confidence compared with accuracy.

    Only rows whose true class is one of the model's classes are used.
    """

    min_rows: Count = Field(description="Minimum number of rows in a bin.")
    bins: Bins = Field(description="Bins by the confidence of the predicted class.")
    per_class: dict[str, ClassReliability]


class RiskCoverage(Part):
    """Share of wrong answers (risk) if only the most confident rows are answered (coverage)."""

    area: RoundedProbability = Field(description="Mean risk over all coverages.")
    coverage: tuple[Probability, ...]
    risk: tuple[Probability, ...]
    threshold: tuple[Probability, ...] = Field(description="Minimum confidence of an answer.")


class Latency(Part):
    """Time of predicting a single row."""

    p50_ms: NonNegative
    p95_ms: NonNegative


class ProbabilityLosses(Part):
    """Losses of the predicted probabilities on the evaluated rows."""

    calibration_error: RoundedProbability
    log_loss: Rounded
    brier: RoundedProbability


class Temperature(Part):
    """The temperature, which divides the logits, and its effect on the evaluated rows."""

    temperature: Annotated[float, Field(gt=0)]
    before: ProbabilityLosses
    after: ProbabilityLosses
