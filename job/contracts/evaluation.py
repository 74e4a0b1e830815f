"""The content of evaluation.json; its JSON Schema is published with the docs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
    """A threshold of confidence, chosen out of fold on the training side."""

    target_precision: Probability
    threshold: Probability | None = Field(description="null: none is shown to reach the target.")
    n_chosen_on: Count
    n_groups_chosen_on: Count
    n_answered: Count = Field(description="Rows of the hold-out at or above it.")
    coverage: IntervalPart | None = Field(description="On the hold-out, which did not choose.")
    precision: IntervalPart | None = Field(description="On the hold-out; absent without answers.")


class ProbabilityLosses(Part):
    """Losses of probabilities on the hold-out."""

    calibration_error: Probability
    log_loss: float
    brier: Probability


class Temperature(Part):
    """The number that divides the logits, learnt out of fold on the training side."""

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
    n_rows: Count
    n_groups: Count
    n_excluded: Count
    champion_score: float | None
    candidate_score: float | None
    difference: IntervalPart | None
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


class Gate(Part):
    """The verdict and all that led to it."""

    is_accepted: bool
    criteria: list[CriterionPart]
    override: str | None = Field(description="Why it was published all the same.")
    comparisons: list[ComparisonPart]


class Candidate(Part):
    """One candidate of the search."""

    estimator: str
    parameters: dict[str, Any]
    input: list[str]
    n_samples: Count
    fold_scores: list[float]
    mean_score: float
    ended: Literal["halved", "beaten"] | None


class Search(Part):
    """What was tried."""

    metric: str
    is_cut_short: bool
    chosen: Candidate
    candidates: list[Candidate]


class ClassRows(Part):
    """Rows of one class on both sides."""

    n_train: Count
    n_test: Count
    train_share: Probability
    test_share: Probability


class Families(Part):
    """Duplicates of the table, in counts."""

    near_duplicates: Literal["text", "embeddings", "none"]
    n_exact_duplicates: Count
    n_near_duplicates: Count
    n_families: Count
    largest: list[Count] = Field(description="Rows of the largest families.")
    n_near_official_test: Count


class Optimism(Part):
    """What a random split would have claimed of one cheap classifier."""

    estimator: str
    n_rows: Count
    folds: Count
    random_accuracy: Probability
    leakage_safe_accuracy: Probability


class Split(BaseModel):
    """What the split did, in counts."""

    model_config = ConfigDict(frozen=True, extra="allow")

    method: str
    key: str
    n_train: Count
    n_test: Count
    n_train_keys: Count
    n_test_keys: Count
    n_dropped_leaking: Count
    n_dropped_rare_class: Count
    n_rare_classes: Count
    n_conflicting_keys: Count
    n_conflicting_rows: Count
    test_only_classes: list[str]
    n_test_only_rows: Count
    classes: dict[str, ClassRows]
    n_dealt_classes: Count
    families: Families
    optimism: Optimism | None


class Change(Part):
    """One value of the metadata, of both models."""

    before: Any
    after: Any
    difference: float | None = Field(None, description="Of scores: after less before.")


class Changes(Part):
    """What differs from the champion's metadata, by dotted keys."""

    champion: str
    changed: dict[str, Change]


class Evaluation(BaseModel):
    """What a run found out about its model; the report shows no number that is not in here."""

    # NOTE: readers of this release take what later ones add; our tests do not
    model_config = ConfigDict(frozen=True, extra="allow", title="evaluation.json")

    classes: list[str] = Field(description="Sorted; the order of `confusion`.")
    n_test: Count
    scores: Scores = Field(description="By metric, on the hold-out.")
    per_class: dict[str, ClassScores]
    confusion: list[list[Count]] = Field(description="Rows are true classes.")
    curves: dict[str, Curves] = Field(description="By class, where they are defined.")
    reliability: Reliability | None = Field(description="null: no row of a known class.")
    risk_coverage: RiskCoverage | None = Field(description="null: too few rows.")
    temperature: Temperature | None = Field(description="null: the model was not divided.")
    decision: Decision | None = Field(description="null: no target was set.")
    baselines: dict[str, Scores]
    latency: Latency
    model_bytes: Count
    gate: Gate
    search: Search
    split: Split
    intervals: Intervals
    changes: Changes | None = Field(None, description="Absent where there is no champion.")
