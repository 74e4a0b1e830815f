"""Scores of slices of the hold-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from job.contracts.reports.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceScore:
    """One slice compared with the rest of the hold-out.

    Attributes
    ----------
    score
        The search's metric on the slice; None if it is undefined there.
    difference
        Accuracy of the slice minus that of the rest.
    upper_bound, difference_upper_bound
        Upper bounds of the accuracy and of the difference, simultaneous over all slices.
    """

    column: str
    value: str
    n_rows: int
    n_groups: int
    accuracy: Interval
    upper_bound: float
    difference: float
    difference_upper_bound: float
    score: float | None

    @property
    def is_worse(self) -> bool:
        """Whether the slice is shown to be worse than the rest."""
        return self.difference_upper_bound < 0

    def to_json(self) -> dict[str, Any]:
        """Return the slice as it is published in the report."""
        return {
            "column": self.column,
            "value": self.value,
            "n_rows": self.n_rows,
            "n_groups": self.n_groups,
            "accuracy": self.accuracy.to_json(),
            "upper_bound": round(self.upper_bound, 6),
            "difference": round(self.difference, 6),
            "difference_upper_bound": round(self.difference_upper_bound, 6),
            "score": None if self.score is None else round(self.score, 6),
            "is_worse": self.is_worse,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceReport:
    """The slices of a hold-out, the worst first.

    Attributes
    ----------
    n_not_shown
        Slices that have fewer rows or groups than the minimum, or whose rest does.
    single_valued
        Columns with a single value, so that all rows are one slice.
    """

    metric: str
    level: float
    min_rows: int
    min_groups: int
    n_not_shown: int
    single_valued: tuple[str, ...]
    scores: tuple[SliceScore, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the part `slices` of evaluation.json."""
        return {
            "method": "bootstrap over groups, stratified by class; accuracy between BCa ends with "
            "Student's t; upper bounds for all slices at once by max T",
            "metric": self.metric,
            "level": self.level,
            "min_rows": self.min_rows,
            "min_groups": self.min_groups,
            "n_not_shown": self.n_not_shown,
            "single_valued": list(self.single_valued),
            "scores": [score.to_json() for score in self.scores],
        }
