"""Settings of the gate."""

from typing import Literal

from pydantic import Field, field_validator

from job.contracts.identity import is_version
from job.contracts.metrics import Metric
from job.contracts.settings.base import Share, Spec
from job.contracts.store_keys import is_channel


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
