"""Confidence intervals of scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and its confidence interval.

    Attributes
    ----------
    is_by_count
        Whether all resamples are equal, so that the bounds follow from the number of groups alone.
    """

    value: float
    lower: float
    upper: float
    is_by_count: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return estimate and bounds with six decimals, and `is_by_count`."""
        values = {name: round(getattr(self, name), 6) for name in ("value", "lower", "upper")}
        return {**values, "is_by_count": self.is_by_count}


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalReport:
    """The confidence intervals of a model's scores, and the method.

    Attributes
    ----------
    scores
        Pairs of a score's name and its interval.
    per_class
        Pairs of a class's name and the `scores` of that class.
    """

    method: str
    level: float
    n_resamples: int
    n_rows: int
    n_groups: int
    scores: tuple[tuple[str, Interval], ...]
    per_class: tuple[tuple[str, tuple[tuple[str, Interval], ...]], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the part `intervals` of evaluation.json."""
        return {
            "method": self.method,
            "level": self.level,
            "n_resamples": self.n_resamples,
            "n_rows": self.n_rows,
            "n_groups": self.n_groups,
            "not_covered": ["pr_auc_ovr", "per-class roc_auc and pr_auc", "calibration_error"],
            "scores": {name: interval.to_json() for name, interval in self.scores},
            "per_class": {
                name: {score: interval.to_json() for score, interval in scores}
                for name, scores in self.per_class
            },
        }
