"""Settings of the evaluation and of the decision threshold."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from job.contracts.settings.addresses import require_readable
from job.contracts.settings.base import Spec


class EvaluationSpec(Spec):
    """How the scores and their intervals are computed."""

    confidence: float = Field(
        0.95, ge=0.5, le=0.99, description="Confidence level of the scores' intervals."
    )
    resamples: int = Field(
        2000,
        ge=1000,
        le=20_000,
        description="Number of bootstrap resamples of the groups, for the intervals and the gate.",
    )
    method: Literal["auto", "holdout", "cross_fit"] = Field(
        "auto",
        description="Predictions that the scores are computed from. `holdout`: predictions of the "
        "published model for the held-out rows. `cross_fit`: out-of-fold predictions for every row "
        "of the table, by models with the same estimator, hyperparameters and input as the "
        "published model. `auto`: `cross_fit` if the hold-out is small, otherwise `holdout`. A "
        "hold-out of K classes is small if it has fewer than 150 effective groups, or if a class "
        "has fewer than 150 / K effective groups. The effective number of groups is the number of "
        "groups, reduced if their sizes differ. With `dataset.test_uri`, the official test table "
        "is always used.",
    )
    cross_fit_folds: int = Field(
        5,
        ge=3,
        le=20,
        description="Number of folds of a cross-fitted evaluation. Whole groups stay together, and "
        "the folds are stratified by class.",
    )
    slices: tuple[str, ...] | None = Field(
        None,
        description="Columns whose values define the slices. Scores are computed for each slice. "
        "Allowed columns: categorical and boolean columns, the text (by length) and the timestamp "
        "(newest month and older rows). Unset: all of these columns. `[]`: none.",
    )
    min_slice_rows: int = Field(
        30,
        ge=10,
        description="Minimum number of evaluated rows in a slice, and outside it, for the slice's "
        "scores to be reported. Both parts must also have at least 10 groups. Other slices are "
        "only counted.",
    )
    label_noise: bool = Field(
        True,
        description="Whether to estimate the share of wrong labels in the training rows, by "
        "class. Above 20,000 rows, a sample of whole groups is used.",
    )
    label_issues: bool = Field(
        False,
        description="Whether to list the training rows with suspected wrong labels, by row number "
        "and id (`dataset.columns.id`), in `runs/<run_id>/<attempt>/label_issues.json`. All "
        "training rows are checked, not a sample. The file contains no texts, but ids may be "
        "personal data.",
    )

    challenge_uri: str | None = Field(
        None,
        min_length=1,
        description="Challenge set: a small table of real requests in people's own words, with the "
        "columns and formats of the dataset. The published model is evaluated on it, and no model "
        "is trained on it. Near-duplicates of its requests are dropped from the table ([how to "
        "make one](docs/challenge-set.md)). Unset: no challenge set.",
    )
    challenge_split: Literal["none", "half"] = Field(
        "none",
        description="How to use the challenge set. `half`: the set is divided by salted hash, "
        "class by class, into halves that share no group. One half is used to choose the candidate "
        "(`search.choose_on`) and the threshold (`decision.learn_on`), the other to evaluate. "
        "`none`: all requests are used for both purposes.",
    )
    out_of_scope_uri: str | None = Field(
        None,
        min_length=1,
        description="Out-of-scope set: a small table of requests that belong to none of the "
        "classes, with the columns and formats of the dataset. Labels are not read. The report "
        "shows how many of them the published model answers ([how to make "
        "one](docs/challenge-set.md#requests-that-belong-to-no-class)). Unset: no out-of-scope "
        "set.",
    )

    @field_validator("challenge_uri", "out_of_scope_uri")
    @classmethod
    def _is_readable(cls, value: str | None) -> str | None:
        return None if value is None else require_readable(value)

    @model_validator(mode="after")
    def _half_of_something(self) -> "EvaluationSpec":
        if self.challenge_split == "half" and self.challenge_uri is None:
            raise ValueError("evaluation.challenge_split=half needs evaluation.challenge_uri")
        return self

    @model_validator(mode="after")
    def _issues_are_estimated(self) -> "EvaluationSpec":
        if self.label_issues and not self.label_noise:
            raise ValueError("evaluation.label_issues=true needs evaluation.label_noise=true")
        return self


class DecisionSpec(Spec):
    """How the decision threshold is chosen."""

    target_precision: float | None = Field(
        0.95,
        gt=0,
        lt=1,
        description="Precision that answers should have. Answers are the predictions whose "
        "confidence reaches the decision threshold. The threshold is the lowest one for which a "
        "lower confidence bound of the answers' precision, on the rows of `decision.learn_on`, "
        "reaches this value. metadata.json publishes it as `decision.threshold`. Unset: no "
        "threshold is published.",
    )
    learn_on: Literal["auto", "table", "challenge"] = Field(
        "auto",
        description="Rows on which the threshold is chosen. `table`: out-of-fold predictions of "
        "the table. `challenge`: predictions of the published model on the challenge set. `auto`: "
        "the challenge set if there is one, otherwise the table.",
    )
