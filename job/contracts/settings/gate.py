"""Settings of the gate."""

from typing import Literal

from pydantic import Field, field_validator

from job.contracts.identity import is_version
from job.contracts.metrics import Metric
from job.contracts.settings.base import Share, Spec
from job.contracts.store_keys import is_channel


class FloorsSpec(Spec):
    """Minimum scores of an acceptable model; null disables a check."""

    accuracy: Share | None = Field(
        0.85,
        description="Minimum accuracy. Unset: not checked. The default of each minimum score is "
        "for the upstream's table; other tables have none.",
    )
    precision_macro: Share | None = Field(
        0.80, description="Minimum macro precision. Unset: not checked."
    )
    recall_macro: Share | None = Field(
        0.80, description="Minimum macro recall. Unset: not checked."
    )
    f1_macro: Share | None = Field(0.80, description="Minimum macro F1. Unset: not checked.")


class ChallengeFloorsSpec(Spec):
    """Minimum scores on the challenge set; null disables a check."""

    accuracy: Share | None = Field(
        None, description="Minimum accuracy on the challenge set. Unset: not checked."
    )
    precision_macro: Share | None = Field(
        None, description="Minimum macro precision on the challenge set. Unset: not checked."
    )
    recall_macro: Share | None = Field(
        None, description="Minimum macro recall on the challenge set. Unset: not checked."
    )
    f1_macro: Share | None = Field(
        None, description="Minimum macro F1 on the challenge set. Unset: not checked."
    )


class GateSpec(Spec):
    """Criteria for accepting a candidate."""

    floors: FloorsSpec = Field(default_factory=FloorsSpec, description="Minimum scores.")
    challenge_floors: ChallengeFloorsSpec = Field(
        default_factory=ChallengeFloorsSpec, description="Minimum scores on the challenge set."
    )
    floors_on: Literal["point", "lower"] = Field(
        "point",
        description="What must reach a floor. `point`: the score. `lower`: the lower end of its "
        "confidence interval (`evaluation.confidence`).",
    )
    beat_majority: bool = Field(
        False,
        description="Whether a candidate must be better than a model that always predicts the "
        "most frequent class. The confidence interval (level from `gate.alpha`) of the difference "
        "in macro recall must be above 0. The default shown is for the upstream's table; for any "
        "other table it is true.",
    )
    rule: Literal["non_inferiority", "superiority"] = Field(
        "non_inferiority",
        description="What the comparison of `search.metric` must show for the gate to accept. "
        "`non_inferiority`: the candidate is better than the champion, equal, or worse by less "
        "than `gate.margin`. `superiority`: the candidate is better.",
    )
    margin: Share = Field(
        0.02,
        description="Non-inferiority margin: a candidate counts as worse than the champion if its "
        "score is lower by this or more. Use 0.03 for hold-outs of fewer than about 1,000 rows "
        "([docs/gate.md](docs/gate.md)).",
    )
    alpha: float = Field(
        0.05,
        ge=0.005,
        le=0.2,
        description="Significance level of each comparison with champion or anchor: the maximum "
        "probability of accepting a candidate that is worse by exactly the margin "
        "(`non_inferiority`) or only equal (`superiority`). If the table has too few groups to "
        "rule out a loss as large as the margin, `gate.inconclusive` decides, and the probability "
        "can be higher than this. `gate.recall_margin` rejects an equal candidate with at "
        "most this probability.",
    )
    recall_margin: Share | None = Field(
        0.05,
        description="Maximum loss of recall in a class. A candidate is rejected if, for any class, "
        "the measured loss exceeds this and the interval of the loss is entirely above 0. The "
        "intervals are simultaneous: together, they reject an equal candidate with at most the "
        "probability `gate.alpha`. Unset: not checked.",
    )
    anchor: str | None = Field(
        None,
        description="Version with which every candidate is also compared, so that small losses do "
        "not add up over many runs: the name of a version, or of a channel that you never move. "
        "Unset: the stored anchor of `publish.channel`, if there is one. If there is none and "
        "`gate.inconclusive` lets a candidate replace the champion, the job stores the replaced "
        "champion as the anchor.",
    )
    incomparable_champion: Literal["reject", "warn"] = Field(
        "reject",
        description="What to do if the candidate cannot be compared with the champion or with "
        "`gate.anchor`. `reject`: reject the candidate. `warn`: warn in the report. An anchor that "
        "is stored with the channel is an exception: if it cannot be compared, the report only "
        "warns, even with `reject`.",
    )
    inconclusive: Literal["tolerate", "reject", "warn"] = Field(
        "tolerate",
        description="What to do if the table has too few groups to show that the candidate is "
        "worse by less than `gate.margin`. The measured drop of the score then decides. "
        "`tolerate`: accept a drop of at most `gate.margin`, and a larger one if chance could "
        "explain it and it is at most `gate.max_drop`. `warn`: accept a drop of at most "
        "`gate.margin`, with a warning in the report. `reject`: accept no candidate.",
    )
    max_drop: Share = Field(
        0.05,
        description="Largest drop below the champion's score that `gate.inconclusive: tolerate` "
        "accepts. A larger drop is rejected even if chance could explain it. Not used with other "
        "values of `gate.inconclusive`.",
    )
    calibration_error: Share | None = Field(
        None,
        description="Maximum expected calibration error, from 15 bins with equally many rows. "
        "Unset: not checked.",
    )
    slice_floor: Share | None = Field(
        None,
        description="Minimum accuracy of a slice (`evaluation.slices`). A candidate is rejected if "
        "the upper confidence bound of a slice's accuracy is below this. The confidence level "
        "holds for all slices jointly. A candidate is also rejected if no slice is large enough to "
        "measure. Unset: not checked.",
    )
    stress_floor: Share | None = Field(
        None,
        description="Minimum accuracy on restandardized batches: batches of held-out rows with a "
        "different class mix, each standardized on its own rows. See also "
        "`dataset.embeddings_standardized_per_batch`. A candidate is also rejected if this "
        "accuracy cannot be measured. Unset: not checked.",
    )
    latency_p95_ms: float = Field(
        100.0,
        gt=0,
        description="Maximum 95th percentile of the latency of one row, in milliseconds.",
    )
    latency_severity: Literal["warn", "reject"] = Field(
        "warn",
        description="What to do if a model is too slow: warn, or reject the candidate. Timings "
        "vary between runs, so `reject` can reject a model that another run would accept.",
    )
    model_bytes: int = Field(
        512 * 2**20, gt=0, description="Maximum size of the model file, in bytes."
    )

    @field_validator("anchor")
    @classmethod
    def _is_name(cls, value: str | None) -> str | None:
        if value is not None and not is_version(value) and not is_channel(value):
            raise ValueError("expected the name of a version or of a channel")
        return value


class PairedSpec(Spec):
    """Settings of the comparison with a champion, from several sections."""

    metric: Metric
    alpha: float
    resamples: int
    random_state: int
