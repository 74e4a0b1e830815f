"""The confidence threshold below which a consumer should not answer, and its effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from job.contracts.reports.intervals import Interval

ThresholdStatus = Literal["chosen", "not_needed", "not_shown", "templates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The minimum confidence of an answer, and the rows that it was chosen on.

    Attributes
    ----------
    value
        None unless `status` is `chosen`.
    status
        `chosen`; `not_needed`: all answers, and those of each class, reach the target; `not_shown`:
        no threshold can be shown to reach it; `templates`: most rows come from sentence templates,
        so they show nothing about other wording.
    reason
        A sentence that explains the status.
    n_rows, n_groups
        Rows predicted by a model that was not trained on their group, and their groups.
    learned_on
        `table`: its out-of-fold predictions; `challenge`: the published model's predictions of the
        challenge set.
    """

    target_precision: float
    value: float | None
    status: ThresholdStatus
    reason: str
    n_rows: int
    n_groups: int
    learned_on: Literal["table", "challenge"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstentionReport:
    """The effect of a threshold on rows that it was not chosen on.

    Attributes
    ----------
    coverage
        Share of the rows that are answered.
    precision
        Share of the answers that are correct; None if nothing is answered.
    """

    threshold: Threshold
    n_rows: int
    n_answered: int
    coverage: Interval | None
    precision: Interval | None

    def to_json(self) -> dict[str, Any]:
        """Return the part `decision` of evaluation.json."""
        coverage, precision = self.coverage, self.precision
        return {
            "target_precision": self.threshold.target_precision,
            "threshold": self.threshold.value,
            "status": self.threshold.status,
            "reason": self.threshold.reason,
            "n_chosen_on": self.threshold.n_rows,
            "n_groups_chosen_on": self.threshold.n_groups,
            "learned_on": self.threshold.learned_on,
            "n_measured_on": self.n_rows,
            "n_answered": self.n_answered,
            "coverage": None if coverage is None else coverage.to_json(),
            "precision": None if precision is None else precision.to_json(),
        }
