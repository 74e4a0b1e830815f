"""Parts of evaluation.json that judge a model: scores, intervals, confidence and the gate."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Scores = dict[str, float]


class Part(BaseModel):
    """Base of what is known in full: nothing else stands in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassScores(Part):
    """One class against the rest."""

    precision: Probability
    recall: Probability
    f1: Probability
    n_test: Count
    roc_auc: Probability | None = Field(None, description="Absent where it is not defined.")
    pr_auc: Probability | None = Field(None, description="Absent where it is not defined.")


class Curves(Part):
    """Points of the two curves of a class, on a grid of their horizontal axes."""

    false_positive_rate: list[Probability]
    true_positive_rate: list[Probability]
    recall: list[Probability]
    precision: list[Probability]


class Bins(Part):
    """Rows by confidence, in bins of about as many rows each."""

    confidence: list[Probability] = Field(description="Mean of each bin.")
    accuracy: list[Probability] = Field(description="Share that came true.")
    n_rows: list[Count]


class ClassReliability(Part):
    """The probability of one class, against its share of the rows that were given it."""

    calibration_error: Probability
    brier: Probability
    bins: Bins


class Reliability(Part):
    """Whether confidence means what it says, of rows whose class the model knows."""

    min_rows: Count = Field(description="No bin has fewer rows.")
    bins: Bins = Field(description="Of the predicted class.")
    per_class: dict[str, ClassReliability]


class RiskCoverage(Part):
    """Share of wrong answers by the share of rows that are answered, surest first."""

    area: Probability = Field(description="Mean risk over all coverages.")
    coverage: list[Probability]
    risk: list[Probability]
    threshold: list[Probability] = Field(description="Least confidence among the answered.")


class Latency(Part):
    """Predictions of one row each."""

    p50_ms: Annotated[float, Field(ge=0)]
    p95_ms: Annotated[float, Field(ge=0)]


class IntervalPart(Part):
    """A value, and the ends between which it is believed to lie."""

    value: float
    lower: float
    upper: float
    is_by_count: bool = Field(description="The number of groups alone makes the ends.")


class Intervals(Part):
    """The intervals of the scores, and how they were found."""

    method: str
    level: Probability
    n_resamples: Count
    n_rows: Count
    n_groups: Count
    not_covered: list[str] = Field(description="Scores that have none.")
    scores: dict[str, IntervalPart]
    per_class: dict[str, dict[str, IntervalPart]]


class Decision(Part):
    """A threshold of confidence, chosen on rows whose models had not seen their groups."""

    status: Literal["chosen", "not_needed", "not_shown", "templates"] | None = Field(
        None, description="Absent in files of earlier releases."
    )
    reason: str | None = Field(None, description="A sentence. Absent in files of earlier releases.")
    target_precision: Probability
    threshold: Probability | None = Field(description="null: none is published; see `status`.")
    n_chosen_on: Count
    n_groups_chosen_on: Count
    learned_on: Literal["table", "challenge"] | None = Field(
        None, description="Absent in files of earlier releases."
    )
    n_measured_on: Count | None = Field(
        None,
        description="Rows that coverage and precision are of: judged rows of the table, or of the "
        "challenge set. Absent in files of earlier releases.",
    )
    n_answered: Count = Field(description="Rows of these at or above it.")
    coverage: IntervalPart | None = Field(description="On these rows.")
    precision: IntervalPart | None = Field(description="On these rows; absent without answers.")


class ProbabilityLosses(Part):
    """Losses of probabilities on the hold-out."""

    calibration_error: Probability
    log_loss: float
    brier: Probability


class Temperature(Part):
    """The number that divides the logits, learned out of fold on the training side."""

    temperature: Annotated[float, Field(gt=0)]
    before: ProbabilityLosses
    after: ProbabilityLosses


class RecallChangePart(Part):
    """The recall of one class in both models."""

    n_rows: Count
    champion_recall: Probability
    candidate_recall: Probability
    difference: IntervalPart


class ComparisonPart(Part):
    """A candidate and another model on rows that neither was trained on."""

    role: str
    version: str
    metric: str
    basis: Literal["new_rows", "shared_groups", "challenge"] = Field(
        "new_rows",
        description="Held-out rows that are new to both models, the groups that both runs' "
        "tables hold, by each run's cross-fitted predictions, or the challenge set.",
    )
    n_rows: Count
    n_groups: Count
    n_excluded: Count
    champion_score: float | None
    candidate_score: float | None
    difference: IntervalPart | None
    standard_error: float | None = Field(None, description="Of the difference.")
    recalls: dict[str, RecallChangePart]
    problem: str


class CriterionPart(Part):
    """One thing the gate looked at."""

    name: str
    value: float | None
    threshold: float | None
    is_met: bool
    is_binding: bool = Field(description="Whether it rejects, or only warns.")
    reason: str
    lower: float | None = Field(description="The ends of the value's interval, if it has one.")
    upper: float | None
    rule: Literal["margin", "default"] | None = Field(
        None,
        description="Of a comparison: whether `gate.margin` decided, or the default for tables "
        "that cannot show it; null: neither.",
    )


class CanShow(Part):
    """What the gate can tell on this table."""

    metric: str
    standard_error: float = Field(description="Of the difference of two equal retrainings.")
    equal_accepted: Probability = Field(description="Share of equally good candidates that pass.")
    largest_drop: float = Field(description="True drop of the metric that passes in 5 % of runs.")


class Gate(Part):
    """The verdict and all that led to it."""

    is_accepted: bool
    can_show: CanShow | None = Field(None, description="null: nothing was compared.")
    criteria: list[CriterionPart]
    override: str | None = Field(description="Why it was published all the same.")
    comparisons: list[ComparisonPart]
