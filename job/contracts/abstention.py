"""When a consumer should rather not answer: a threshold of confidence, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from job.contracts.judgement import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The least confidence at which an answer is given, and the rows that chose it.

    Attributes
    ----------
    value
        None where no threshold shows the target.
    n_rows, n_groups
        Training rows, each predicted by a model that had not seen its group, and their groups.
    """

    target_precision: float
    value: float | None
    n_rows: int
    n_groups: int


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
    n_answered: int
    coverage: Interval | None
    precision: Interval | None

    def to_json(self) -> dict[str, Any]:
        """Give the part `decision` of evaluation.json."""
        coverage, precision = self.coverage, self.precision
        return {
            "target_precision": self.threshold.target_precision,
            "threshold": self.threshold.value,
            "n_chosen_on": self.threshold.n_rows,
            "n_groups_chosen_on": self.threshold.n_groups,
            "n_answered": self.n_answered,
            "coverage": None if coverage is None else coverage.to_json(),
            "precision": None if precision is None else precision.to_json(),
        }
