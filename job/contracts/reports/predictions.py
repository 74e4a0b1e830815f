"""The results of `pcc-job predict` and `pcc-job explain`."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from job.contracts.reports.decision_threshold import ThresholdStatus
from job.contracts.reports.part import Count, Part, Probability, Rounded
from job.contracts.reports.published_file import VersionName


class AnswerRule(Part):
    """The rule of a version that decides which requests the model answers."""

    threshold: Probability | None = Field(
        description="Minimum confidence of an answer; null: see `status`."
    )
    status: ThresholdStatus | None = Field(
        description="`decision.status` of metadata.json. Without a threshold, all requests are "
        "answered if it is `not_needed`, and none otherwise. null: no target precision was set."
    )
    reason: str | None = Field(description="The status as a sentence; null without one.")


class Prediction(Part):
    """The prediction of one request."""

    label: str | None = Field(
        description="Most probable class; null: the request has no text, so it is not predicted."
    )
    confidence: Probability | None = Field(description="Probability of the class; null without it.")
    is_answered: bool = Field(
        description="Whether the model answers; otherwise a person should handle the request."
    )


class TextPredictions(Part):
    """The result of `pcc-job predict` for texts."""

    model_config = ConfigDict(title="result of `pcc-job predict VERSION TEXT...`")

    version: VersionName = Field(description="Version whose model has predicted.")
    decision: AnswerRule = Field(description="The rule that decides what is answered.")
    predictions: tuple[Prediction, ...] = Field(
        description="One prediction for each text, in the order of the texts."
    )


class TablePredictions(Part):
    """The result of `pcc-job predict` for a table; the predictions are in a file."""

    model_config = ConfigDict(title="result of `pcc-job predict VERSION --dataset --out`")

    version: VersionName = Field(description="Version whose model has predicted.")
    decision: AnswerRule = Field(description="The rule that decides what is answered.")
    path: str = Field(description="File with the predictions.")
    n_rows: Count = Field(description="Rows of the table and of the file.")
    n_answered: Count = Field(description="Rows that the model answers.")
    n_not_predicted: Count = Field(description="Rows without a prediction.")
    not_predicted: dict[str, Count] = Field(
        description="Rows without a prediction, by the first reason that applies: a missing text, "
        "or an embedding that is missing, unreadable, of another width, not finite or all zeros."
    )
    labels: dict[str, Count] = Field(description="Rows by predicted class, for every class.")


class FeatureWeight(Part):
    """A feature of the model and its weight."""

    feature: str = Field(
        description="A term, the name of a column, or the name of a column with a category."
    )
    kind: Literal["word", "characters", "numeric", "boolean", "categorical"] = Field(
        description="Kind of the feature; `characters` is a part of a word."
    )
    weight: Rounded = Field(
        description="Coefficient; with more than two classes and probabilities that add up by a "
        "softmax, relative to the mean over the classes."
    )


class Explanation(Part):
    """The result of `pcc-job explain`: the features with the largest weights for a class."""

    model_config = ConfigDict(title="result of `pcc-job explain`")

    version: VersionName = Field(description="Version whose model is explained.")
    label: str = Field(description="The class.")
    for_class: tuple[FeatureWeight, ...] = Field(
        description="Features that speak for the class, largest weight first."
    )
    against_class: tuple[FeatureWeight, ...] = Field(
        description="Features that speak against the class, largest absolute weight first."
    )
    n_features: Count = Field(description="Features that have a name.")
    n_unnamed: Count = Field(description="Dimensions of embeddings, which have no names.")
    notes: tuple[str, ...] = Field(description="What these weights do not show.")
