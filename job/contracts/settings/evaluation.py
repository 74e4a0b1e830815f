"""Settings of the evaluation and of the decision threshold."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from job.contracts.settings.addresses import require_readable
from job.contracts.settings.base import Spec


class EvaluationSpec(Spec):
    """How sure the scores are said to be."""

    confidence: float = Field(
        0.95, ge=0.5, le=0.99, description="Confidence level of the scores' intervals."
    )
    resamples: int = Field(
        2000,
        ge=1000,
        le=20_000,
        description="How often the judged groups are drawn again, for intervals and the gate.",
    )
    method: Literal["auto", "holdout", "cross_fit"] = Field(
        "auto",
        description="Which predictions the scores rest on. `holdout`: the published model's, of "
        "the held-out rows. `cross_fit`: those of models of the same recipe for every row of the "
        "table, each by a model that has not seen its group. `auto`: cross-fitted where the "
        "hold-out has fewer than 150 effective groups, or a class of it fewer than 150 divided by "
        "the number of classes. An official test is always judged on as it is.",
    )
    cross_fit_folds: int = Field(
        5, ge=3, le=20, description="Folds of a cross-fitted evaluation, by group and class."
    )
    slices: tuple[str, ...] | None = Field(
        None,
        description="Columns that the judged rows are sliced by: categorical and boolean ones, the "
        "text's (by its length), the timestamp's (newest month against older). Unset: all of "
        "them; `[]`: none.",
    )
    min_slice_rows: int = Field(
        30,
        ge=10,
        description="A slice is shown if it and the rest have so many judged rows, in 10 groups "
        "or more; others are counted.",
    )
    label_noise: bool = Field(
        True,
        description="Estimate how many labels of the training side are wrong, by class; of more "
        "than 20,000 rows a sample of whole groups is used.",
    )
    label_issues: bool = Field(
        False,
        description="List the rows whose labels are doubted, all rows looked at: their places and "
        "`dataset.columns.id`, never a text, in `runs/<run_id>/<attempt>/label_issues.json`. Ids "
        "may be personal data.",
    )

    challenge_uri: str | None = Field(
        None,
        min_length=1,
        description="Challenge set: a small table of real requests in people's own words, with the "
        "columns and formats of the dataset. It is never trained on, near-duplicates of it are "
        "left out, and the published model is judged on it "
        "([how to make one](docs/challenge-set.md)).",
    )
    challenge_split: Literal["none", "half"] = Field(
        "none",
        description="`half`: half of the groups of the challenge set, by class and salted hash, "
        "choose the candidate and the threshold, the other half judges. `none`: all of it does "
        "both.",
    )
    out_of_scope_uri: str | None = Field(
        None,
        min_length=1,
        description="Out-of-scope set: a small table of requests that belong to none of the "
        "classes, with the columns and formats of the dataset; labels are not read. How many of "
        "them the published model answers is measured "
        "([how to make one](docs/challenge-set.md#requests-that-belong-to-no-class)).",
    )

    @field_validator("challenge_uri", "out_of_scope_uri")
    @classmethod
    def _is_readable(cls, value: str | None) -> str | None:
        return None if value is None else require_readable(value)

    @model_validator(mode="after")
    def _half_of_something(self) -> "EvaluationSpec":
        if self.challenge_split == "half" and self.challenge_uri is None:
            raise ValueError("evaluation.challenge_split needs evaluation.challenge_uri")
        return self

    @model_validator(mode="after")
    def _issues_are_estimated(self) -> "EvaluationSpec":
        if self.label_issues and not self.label_noise:
            raise ValueError("evaluation.label_issues needs evaluation.label_noise")
        return self


class DecisionSpec(Spec):
    """When a consumer should answer."""

    target_precision: float | None = Field(
        0.95,
        gt=0,
        lt=1,
        description="Share of answers that shall be right: the least confidence that is shown to "
        "reach it out of fold is `decision.threshold` in metadata.json; null: none is chosen.",
    )
    learn_on: Literal["auto", "table", "challenge"] = Field(
        "auto",
        description="Rows that the threshold is learned on: out-of-fold predictions of the table, "
        "or the published model's of the challenge set. `auto`: the challenge set where there is "
        "one.",
    )
