"""The content of evaluation.json; its JSON Schema is published with the docs.

Each stage of the evaluation adds fields to the result of the previous stage: `PredictionScores`,
`RowScores`, `ModelEvaluation`, `CandidateEvaluation`, and finally `Evaluation`.  A recipe is an
unfitted model: an estimator with its hyperparameters and its input.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from job.contracts.reports.challenge import Challenge
from job.contracts.reports.decision_threshold import Decision
from job.contracts.reports.drift import DriftReport
from job.contracts.reports.gate import GateDecision
from job.contracts.reports.geometry import Geometry
from job.contracts.reports.input_check import InputCheck
from job.contracts.reports.intervals import Interval, IntervalReport
from job.contracts.reports.label_noise import LabelNoise
from job.contracts.reports.out_of_scope import OutOfScope
from job.contracts.reports.part import Count, Part, Tenths, is_none
from job.contracts.reports.plain_form import PlainFormProof
from job.contracts.reports.published_file import PublishedFile
from job.contracts.reports.scores import (
    ClassScores,
    Curves,
    Latency,
    Reliability,
    RiskCoverage,
    Scores,
    Temperature,
)
from job.contracts.reports.search import SearchReport
from job.contracts.reports.slices import SliceReport
from job.contracts.reports.split import SplitReport
from job.contracts.reports.stress import StressReport
from job.contracts.reports.wording import Wording

Method = Literal["cross_fit", "holdout", "official_test"]


class CrossFit(Part):
    """Cross-fitting: models of the chosen recipe predict groups that they were not trained on."""

    n_folds: Count = Field(description="Folds of the cross-fitting.")
    n_rows: Count = Field(description="Rows that were predicted.")
    n_groups: Count = Field(description="Groups of the predicted rows.")
    n_effective_groups: Tenths = Field(
        description="Kish's effective number of groups, `sum(n)^2 / sum(n^2)` over the sizes n."
    )
    is_nested: bool = Field(description="Whether the choice of recipe was repeated in every fold.")
    n_other_choices: Count = Field(description="Folds in which another recipe was chosen.")


class Holdout(Part):
    """Scores of the published model on held-out rows, in addition to the cross-fitted scores."""

    n_rows: Count
    n_groups: Count
    scores: Scores
    intervals: IntervalReport


class Change(Part):
    """A value that differs between metadata.json of the champion (before) and of this model."""

    before: JsonValue
    after: JsonValue
    difference: float | None = Field(
        None, exclude_if=is_none, description="After minus before; absent unless both are scores."
    )


class Changes(Part):
    """Differences from the champion's metadata.json, by dotted key."""

    champion: str
    changed: dict[str, Change]


class PredictionScores(Part):
    """Results that are computed from predictions and labels only."""

    classes: tuple[str, ...] = Field(description="Sorted classes; the order of `confusion`.")
    n_test: Count = Field(description="Rows that were evaluated.")
    scores: Scores = Field(
        description="Scores on the evaluated rows, by metric; with cross-fitting, "
        "the scores of the recipe."
    )
    per_class: dict[str, ClassScores] = Field(description="Scores of each class.")
    confusion: tuple[tuple[Count, ...], ...] = Field(
        description="Confusion matrix: lines are true classes, columns are predicted classes."
    )
    curves: dict[str, Curves] = Field(
        description="Curves of each class for which they are defined."
    )
    reliability: Reliability | None = Field(
        description="null: no evaluated row has one of the model's classes."
    )
    risk_coverage: RiskCoverage | None = Field(description="null: there are too few rows.")


class RowScores(PredictionScores):
    """Scores with their confidence intervals, and the scores of slices of the rows."""

    intervals: IntervalReport
    slices: SliceReport | None = Field(None, description="null: there are no columns to slice by.")


class ModelEvaluation(RowScores):
    """Scores of a model on rows that are new to it, or of its recipe on all rows."""

    method: Method | None = Field(
        None, description="How `scores` were computed. Absent in files of earlier releases."
    )
    cross_fit: CrossFit | None = Field(None, description="null: the scores are not cross-fitted.")
    holdout: Holdout | None = Field(
        None, description="null: `scores` are those of the published model."
    )
    temperature: Temperature | None = Field(description="null: no temperature was applied.")
    decision: Decision | None = Field(description="null: no target precision was set.")
    baselines: dict[str, Scores] = Field(description="Scores of simple models on the same rows.")
    latency: Latency
    challenge: Challenge | None = Field(
        None, description="null: there is no challenge set. Absent in files of earlier releases."
    )


class CandidateEvaluation(ModelEvaluation):
    """All measurements of a candidate, which are made before the gate decides."""

    out_of_scope: OutOfScope | None = Field(
        None,
        description="Requests that belong to no class. Absent in files of earlier releases.",
    )
    wording: Wording | None = Field(None, description="Absent in files of earlier releases.")
    geometry: Geometry | None = Field(
        None, description="null: the model takes no embeddings, or `features.geometry` is `given`."
    )
    stress: StressReport | None = Field(
        None,
        description="null: embeddings are not standardized per batch, or there are too few rows.",
    )
    input_check: InputCheck | None = Field(
        None, description="null: the model takes no embeddings, or they are not standardized."
    )
    plain_form: PlainFormProof | None = Field(
        None, description="Absent in files of earlier releases."
    )
    over_majority: Interval | None = Field(
        None,
        exclude_if=is_none,
        description="Macro recall minus that of a model that always predicts the most frequent "
        "class. Absent if `gate.beat_majority` is off.",
    )
    label_noise: LabelNoise | None = Field(
        None, exclude_if=is_none, description="Absent if `evaluation.label_noise` is off."
    )


class Evaluation(CandidateEvaluation, PublishedFile):
    """All findings of a run about its model; the report shows only numbers from this file."""

    model_config = ConfigDict(title="evaluation.json")

    model_bytes: Count = Field(description="Size of the model file.")
    gate: GateDecision
    search: SearchReport
    split: SplitReport
    drift: DriftReport | None = Field(
        None, description="null: there is no champion, or `drift.action` is `ignore`."
    )
    changes: Changes | None = Field(
        None, exclude_if=is_none, description="Absent if there is no champion."
    )
