"""The confidence threshold below which a consumer should not answer, and its effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import Count, Part, Probability, is_none

ThresholdStatus = Literal["chosen", "not_needed", "not_shown", "templates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The minimum confidence of an answer, and how this threshold was learned.

    Attributes
    ----------
    value
        The minimum confidence; None unless `status` is `chosen`.
    status
        `chosen`; `not_needed`: the answers reach the target precision without a threshold, overall
        and in each class; `not_shown`: no threshold can be shown to reach the target;
        `templates`: most rows come from sentence templates and show nothing about other wording.
    reason
        A sentence that explains the status.
    n_rows, n_groups
        Number of rows whose predictions the threshold was learned from, and number of their groups.
        No row was predicted by a model that was trained on the row's group.
    learned_on
        `table`: out-of-fold predictions of the table; `challenge`: the published model's
        predictions of the challenge set.
    """

    target_precision: float
    value: float | None
    status: ThresholdStatus
    reason: str
    n_rows: int
    n_groups: int
    learned_on: Literal["table", "challenge"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Temperature and decision threshold, learned from out-of-fold predictions.

    Attributes
    ----------
    temperature
        Divides the logits; None if they are not scaled.
    threshold
        The decision threshold; None if no target precision is set, or if the threshold is learned
        on the challenge set.
    """

    temperature: float | None = None
    threshold: Threshold | None = None


class Decision(Part):
    """A confidence threshold, and its effect on rows that were not used to choose it."""

    # files of earlier releases lack status, reason, learned_on and n_measured_on
    status: ThresholdStatus | None = Field(None, exclude_if=is_none)
    reason: str | None = Field(
        None, exclude_if=is_none, description="A sentence that explains `status`."
    )
    target_precision: Probability
    threshold: Probability | None = Field(description="null: no threshold; see `status`.")
    n_chosen_on: Count
    n_groups_chosen_on: Count
    learned_on: Literal["table", "challenge"] | None = Field(None, exclude_if=is_none)
    n_measured_on: Count | None = Field(
        None,
        exclude_if=is_none,
        description="Rows on which coverage and precision were measured: test rows, or rows of the "
        "challenge set.",
    )
    n_answered: Count = Field(description="Measured rows whose confidence reaches the threshold.")
    coverage: Interval | None = Field(description="Share of the rows that are answered.")
    precision: Interval | None = Field(
        description="Share of the answers that are correct; null if nothing is answered."
    )

    @classmethod
    def of(
        cls,
        threshold: Threshold,
        *,
        n_rows: int,
        n_answered: int = 0,
        coverage: Interval | None = None,
        precision: Interval | None = None,
    ) -> Decision:
        """Return the decision: a threshold, and its effect on `n_rows` rows."""
        return cls(
            status=threshold.status,
            reason=threshold.reason,
            target_precision=threshold.target_precision,
            threshold=threshold.value,
            n_chosen_on=threshold.n_rows,
            n_groups_chosen_on=threshold.n_groups,
            learned_on=threshold.learned_on,
            n_measured_on=n_rows,
            n_answered=n_answered,
            coverage=coverage,
            precision=precision,
        )
