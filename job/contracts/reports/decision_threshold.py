"""When a consumer should rather not answer: a threshold of confidence, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from job.contracts.reports.intervals import Interval

ThresholdStatus = Literal["chosen", "not_needed", "not_shown", "templates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The least confidence at which an answer is given, and the rows that chose it.

    Attributes
    ----------
    value
        None unless `status` is `chosen`.
    status
        `chosen`; `not_needed`: all answers, and those of each class, are shown to reach the target;
        `not_shown`: no threshold is shown to reach it; `templates`: most rows come from sentence
        templates, so they show nothing about other wording.
    reason
        A sentence for people.
    n_rows, n_groups
        Rows that were predicted by a model that had not seen their group, and their groups.
    learnt_on
        Out-of-fold predictions of the table, or the published model's of the challenge set.
    """

    target_precision: float
    value: float | None
    status: ThresholdStatus
    reason: str
    n_rows: int
    n_groups: int
    learnt_on: Literal["table", "challenge"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class AbstentionReport:
    """What a threshold does on rows that did not choose it.

    Attributes
    ----------
    coverage
        Share of the rows that are answered.
    precision
        Share of the answers that are right; None where nothing is answered.
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
            "learnt_on": self.threshold.learnt_on,
            "n_measured_on": self.n_rows,
            "n_answered": self.n_answered,
            "coverage": None if coverage is None else coverage.to_json(),
            "precision": None if precision is None else precision.to_json(),
        }
