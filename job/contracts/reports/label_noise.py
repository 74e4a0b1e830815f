"""What is believed of the labels themselves: estimates, and the rows to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from job.contracts.reports.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassLabels:
    """The labels of one class: rows that carry it, and how many of them wrongly."""

    name: str
    n_rows: int
    n_wrong: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPair:
    """A label that is given where another is likely, and on how many rows."""

    given: str
    likely: str
    n_rows: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelIssue:
    """A row whose label is doubted.

    Attributes
    ----------
    row
        Its place in the table, from 0.
    score
        The probability of the given label, as told by a model that has not seen the row.
    """

    row: int
    given: str
    likely: str
    score: float

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is listed."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNoise:
    """How many labels of the training side are wrong, as far as a model can tell.

    Attributes
    ----------
    n_rows
        Rows that were looked at: all, or a sample of whole families.
    share
        Of wrong labels, with the ends that follow from another draw of the groups.
    pairs
        Those of most rows.
    issues
        The most doubtful first; empty where no list is allowed.
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
        """Return the estimates; which rows they are about stays out."""
        plain = ("estimator", "folds", "level", "n_rows", "n_groups")
        return {
            **{name: getattr(self, name) for name in plain},
            "share": self.share.to_json(),
            "per_class": {
                c.name: {"n_rows": c.n_rows, "n_wrong": round(c.n_wrong, 1)} for c in self.classes
            },
            "pairs": [
                {"given": p.given, "likely": p.likely, "n_rows": round(p.n_rows, 1)}
                for p in self.pairs
            ],
        }
