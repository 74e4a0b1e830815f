"""Estimates of label noise, and the rows whose labels are suspected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from job.contracts.reports.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLabels:
    """Rows with the label of one class, and the estimated number of them that are wrong."""

    name: str
    n_rows: int
    n_wrong: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPair:
    """A given label, the likely correct one, and the estimated number of such rows."""

    given: str
    likely: str
    n_rows: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelIssue:
    """A row whose label is suspected to be wrong.

    Attributes
    ----------
    row
        Position in the table, from 0.
    label_quality
        Probability of the given label, predicted by a model that was not trained on the row.
    """

    row: int
    given: str
    likely: str
    label_quality: float

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is published in the list."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNoise:
    """A model's estimate of the wrong labels among the training rows.

    Attributes
    ----------
    n_rows
        Rows that were examined: all, or a sample of whole groups.
    share
        Share of wrong labels, with its interval over resampled groups.
    pairs
        The most frequent pairs.
    issues
        Suspected rows, lowest label quality first; empty unless the list is enabled.
    """

    estimator: str
    folds: int
    level: float
    n_rows: int
    n_groups: int
    share: Interval
    classes: tuple[ClassLabels, ...]
    pairs: tuple[LabelPair, ...]
    issues: tuple[LabelIssue, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return the estimates, without the rows that they are about."""
        names = ("estimator", "folds", "level", "n_rows", "n_groups")
        return {
            **{name: getattr(self, name) for name in names},
            "share": self.share.to_json(),
            "per_class": {
                c.name: {"n_rows": c.n_rows, "n_wrong": round(c.n_wrong, 1)} for c in self.classes
            },
            "pairs": [
                {"given": p.given, "likely": p.likely, "n_rows": round(p.n_rows, 1)}
                for p in self.pairs
            ],
        }
