"""The content of evaluation.json; its JSON Schema is published with the docs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from job.contracts.reports.evaluation.challenge import Challenge
from job.contracts.reports.evaluation.out_of_scope import OutOfScope
from job.contracts.reports.evaluation.parts import (
    ClassScores,
    Count,
    Curves,
    Decision,
    Gate,
    IntervalPart,
    Intervals,
    Latency,
    Part,
    Probability,
    Reliability,
    RiskCoverage,
    Scores,
    Temperature,
)
from job.contracts.reports.evaluation.split import Split
from job.contracts.reports.evaluation.stress import InputCheckPart, StressPart
from job.contracts.reports.evaluation.wording import CrossFit, GeometryPart, Holdout, Wording


class Candidate(Part):
    """One candidate of the search."""

    estimator: str
    parameters: dict[str, Any]
    input: list[str]
    n_samples: Count
    fold_scores: list[float]
    mean_score: float
    ended: Literal["halved", "stopped"] | None
    challenge_score: float | None = Field(
        None, description="On the challenge set; null where that does not choose."
    )


class Search(Part):
    """What was tried."""

    metric: str
    is_cut_short: bool
    prefers: Literal["score", "wording"] | None = Field(
        None,
        description="`wording`: candidates that are robust to wording come first where their "
        "scores are near. Absent in files of earlier releases.",
    )
    chosen_on: Literal["table", "challenge"] | None = Field(
        None, description="Absent in files of earlier releases."
    )
    chosen: Candidate
    candidates: list[Candidate]


class ClassLabels(Part):
    """Labels of one class."""

    n_rows: Count
    n_wrong: Annotated[float, Field(ge=0, description="An estimate.")]


class LabelPair(Part):
    """A label that is given where another is likely."""

    given: str
    likely: str
    n_rows: Annotated[float, Field(ge=0, description="An estimate.")]


class LabelNoise(Part):
    """How many labels of the training side are wrong, as far as a model can tell."""

    estimator: str = Field(description="The one that was chosen; the dummy judges no labels.")
    folds: Count
    level: Probability
    n_rows: Count = Field(description="Rows that were looked at.")
    n_groups: Count
    share: IntervalPart
    per_class: dict[str, ClassLabels]
    pairs: list[LabelPair] = Field(description="Those of most rows.")


class SlicePart(Part):
    """One slice beside the rest of the hold-out."""

    column: str
    value: str
    n_rows: Count
    n_groups: Count
    accuracy: IntervalPart
    upper_bound: Probability = Field(description="Of the accuracy, for all slices at once.")
    difference: float = Field(description="Accuracy less that of the rest.")
    difference_upper_bound: float = Field(description="Of the difference, for all slices at once.")
    score: float | None = Field(description="By `metric`; null where it is not defined.")
    is_worse: bool = Field(description="Whether it is shown to be worse than the rest.")


class Slices(Part):
    """Parts of the hold-out, the worst first."""

    method: str
    metric: str
    level: Probability
    min_rows: Count
    min_groups: Count
    n_not_shown: Count = Field(description="Slices that, or whose rest, are smaller.")
    single_valued: list[str] = Field(description="Columns whose rows are one slice.")
    scores: list[SlicePart]


class DriftMeasurePart(Part):
    """One measure of one thing."""

    subject: str
    measure: Literal[
        "psi",
        "jensen_shannon",
        "missing",
        "class_share",
        "unseen_words",
        "mean_shift",
        "lost_variance",
    ]
    value: float
    null_quantile: float | None = Field(description="Exceeded once in a thousand times by chance.")
    threshold: float | None = Field(description="Maximum; null: the measure is only reported.")
    before: float | None = Field(description="In the champion's table, where it is a change.")
    after: float | None
    is_drift: bool = Field(description="Whether it is above its threshold and above chance.")


class Drift(Part):
    """How far the table is from that of the champion."""

    champion: str
    n_rows: Count
    n_groups: Count = Field(
        description="Groups, or groups of near-duplicates without a group column."
    )
    n_rows_before: Count
    n_groups_before: Count
    measures: list[DriftMeasurePart]
    missing_subjects: list[str] = Field(
        description="Subjects of the champion's table that this one has not, or of another kind."
    )
    not_compared: list[str] = Field(
        description="Subjects that the champion's table had not, or too little of."
    )
    principal_angles: list[float] = Field(description="Of the embeddings' axes, in degrees.")
    problem: str = Field(description="Why nothing was compared; empty where it was.")


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

    method: Literal["cross_fit", "holdout", "official_test"] | None = Field(
        None, description="How `scores` were made. Absent in files of earlier releases."
    )
    cross_fit: CrossFit | None = Field(
        None, description="null: the scores are not cross-fitted ones."
    )
    holdout: Holdout | None = Field(
        None, description="null: `scores` are those of the published model."
    )
    challenge: Challenge | None = Field(
        None, description="null: there is no challenge set. Absent in files of earlier releases."
    )
    out_of_scope: OutOfScope | None = Field(
        None,
        description="Requests that belong to no class. Absent in files of earlier releases.",
    )
    wording: Wording | None = Field(None, description="Absent in files of earlier releases.")
    geometry: GeometryPart | None = Field(
        None, description="null: the model takes no embeddings, or `features.geometry` is `given`."
    )
    stress: StressPart | None = Field(
        None, description="null: embeddings are not standardized per batch, or too few rows."
    )
    input_check: InputCheckPart | None = Field(
        None, description="null: no embeddings, or not standardized ones."
    )
    classes: list[str] = Field(description="Sorted; the order of `confusion`.")
    n_test: Count = Field(description="Rows that were judged.")
    scores: Scores = Field(
        description="By metric, on the judged rows; of the recipe where they are cross-fitted."
    )
    per_class: dict[str, ClassScores]
    confusion: list[list[Count]] = Field(description="Rows are true classes.")
    curves: dict[str, Curves] = Field(description="By class, where they are defined.")
    reliability: Reliability | None = Field(description="null: no row of a known class.")
    risk_coverage: RiskCoverage | None = Field(description="null: too few rows.")
    temperature: Temperature | None = Field(description="null: no temperature was applied.")
    decision: Decision | None = Field(description="null: no target was set.")
    baselines: dict[str, Scores]
    latency: Latency
    model_bytes: Count
    gate: Gate
    search: Search
    split: Split
    intervals: Intervals
    slices: Slices | None = Field(None, description="Null where none is asked for.")
    label_noise: LabelNoise | None = Field(
        None, description="Absent where `evaluation.label_noise` is off."
    )
    drift: Drift | None = Field(
        None, description="Null without a champion, or where `drift.action` is `ignore`."
    )
    changes: Changes | None = Field(None, description="Absent where there is no champion.")
