"""How a model is judged: the settings' sections of the evaluation and of the gate."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from job.contracts.addresses import require_readable
from job.contracts.dataset_specs import Spec
from job.contracts.digest import is_version
from job.contracts.search_specs import Metric
from job.contracts.stored import is_channel

Share = Annotated[float, Field(ge=0, le=1)]


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
        "than 20,000 rows a sample of whole families is looked at.",
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
        description="Rows that the threshold is learnt on: out-of-fold predictions of the table, "
        "or the published model's of the challenge set. `auto`: the challenge set where there is "
        "one.",
    )


class FloorsSpec(Spec):
    """Least scores of an acceptable model; null switches one off."""

    accuracy: Share | None = Field(0.85, description="Least accuracy.")
    precision_macro: Share | None = Field(0.80, description="Least macro precision.")
    recall_macro: Share | None = Field(0.80, description="Least macro recall.")
    f1_macro: Share | None = Field(0.80, description="Least macro F1.")


class ChallengeFloorsSpec(Spec):
    """Least scores on the challenge set; null switches one off."""

    accuracy: Share | None = Field(None, description="Least accuracy on the challenge set.")
    precision_macro: Share | None = Field(
        None, description="Least macro precision on the challenge set."
    )
    recall_macro: Share | None = Field(None, description="Least macro recall on the challenge set.")
    f1_macro: Share | None = Field(None, description="Least macro F1 on the challenge set.")


class GateSpec(Spec):
    """When a candidate is accepted."""

    floors: FloorsSpec = Field(default_factory=FloorsSpec, description="Least scores.")
    challenge_floors: ChallengeFloorsSpec = Field(
        default_factory=ChallengeFloorsSpec, description="Least scores on the challenge set."
    )
    floors_on: Literal["point", "lower"] = Field(
        "point",
        description="What has to reach a floor: the score itself, or the lower end of its interval "
        "(`evaluation.confidence`).",
    )
    rule: Literal["non_inferiority", "superiority"] = Field(
        "non_inferiority",
        description="What has to be shown against the champion on `search.metric`: that the "
        "candidate is not worse by `gate.margin` or more, or that it is better.",
    )
    margin: Share = Field(
        0.02,
        description="How much worse than the champion is still as good; 0.03 serves hold-outs of "
        "fewer than about 1,000 rows ([docs/gate.md](docs/gate.md)).",
    )
    alpha: float = Field(
        0.05,
        ge=0.005,
        le=0.2,
        description="Most chance of accepting a candidate that is worse by just the margin "
        "(`non_inferiority`) or equal (`superiority`), and of rejecting an equal one for the "
        "recall of some class.",
    )
    recall_margin: Share | None = Field(
        0.05,
        description="A candidate is rejected where the recall of a class is shown to have fallen, "
        "and by more than this; all classes share `gate.alpha`. null: not looked at.",
    )
    anchor: str | None = Field(
        None,
        description="A fixed version, or a channel that does not move: compared as the champion "
        "is, so that many small losses do not add up. Unset: the channel's own anchor, which a run "
        "sets when it needs one.",
    )
    incomparable_champion: Literal["reject", "warn"] = Field(
        "reject",
        description="What a champion or an anchor that cannot be compared means for the candidate.",
    )
    inconclusive: Literal["tolerate", "reject", "warn"] = Field(
        "tolerate",
        description="What happens where the table has too few groups to show `gate.margin`. "
        "`tolerate`: a candidate passes unless it scores lower by more than chance explains, or "
        "by more than `gate.max_drop`. `reject`: it is rejected. `warn`: it passes where its "
        "score is within the margin.",
    )
    max_drop: Share = Field(
        0.05,
        description="Largest drop of the score that `gate.inconclusive: tolerate` lets pass, "
        "whatever chance explains.",
    )
    calibration_error: Share | None = Field(
        None, description="Most expected calibration error (15 bins of equal mass); null: any."
    )
    slice_floor: Share | None = Field(
        None,
        description="A candidate is rejected where the accuracy of a slice is shown to be below "
        "this (upper bound for all slices at once), or where no slice can be shown; null: not "
        "looked at.",
    )
    stress_floor: Share | None = Field(
        None,
        description="Least accuracy on held-out rows in batches of another class mix whose "
        "embeddings are standardized anew; a candidate is rejected, too, where that cannot be "
        "measured. null: not looked at.",
    )
    latency_p95_ms: float = Field(100.0, gt=0, description="Most one-row latency (p95), in ms.")
    latency_severity: Literal["warn", "reject"] = Field(
        "warn", description="Whether too slow a model is rejected; a timer does not repeat itself."
    )
    model_bytes: int = Field(512 * 2**20, gt=0, description="Largest model file, in bytes.")

    @field_validator("anchor")
    @classmethod
    def _is_name(cls, value: str | None) -> str | None:
        if value is not None and not is_version(value) and not is_channel(value):
            raise ValueError("an anchor is the name of a version or of a channel")
        return value


class PairedSpec(Spec):
    """What the comparison with a champion needs to know, out of several sections."""

    metric: Metric
    alpha: float
    resamples: int
    random_state: int
