"""How far a table is from the one that the champion was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Measure = Literal[
    "psi", "jensen_shannon", "missing", "class_share", "unseen_words", "mean_shift", "lost_variance"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMeasure:
    """One measure of one thing.

    Attributes
    ----------
    subject
        `classes`, `class <name>`, `column <name>`, `text length`, `words` or `embeddings`.
    before, after
        The champion's table and this one, where the measure is of a change.
    by_chance
        What tables of these sizes exceed once in a thousand times where nothing has changed; None
        where it is not known.
    threshold
        The most that is allowed; None where the measure is only told.
    """

    subject: str
    measure: Measure
    value: float
    by_chance: float | None = None
    threshold: float | None = None
    before: float | None = None
    after: float | None = None

    @property
    def is_drift(self) -> bool:
        """Whether it is above its threshold, and above what chance makes."""
        return self.threshold is not None and self.value > max(self.threshold, self.by_chance or 0)

    def to_json(self) -> dict[str, Any]:
        """Return the measure as it stands in the report."""
        numbers = ("value", "by_chance", "threshold", "before", "after")
        values = {name: getattr(self, name) for name in numbers}
        rounded = {name: None if v is None else round(v, 6) for name, v in values.items()}
        words = {"subject": self.subject, "measure": self.measure}
        return {**words, **rounded, "is_drift": self.is_drift}

    def describe(self) -> str:
        """Say what was found, in a line of a log or an error."""
        least = max(self.threshold or 0, self.by_chance or 0)
        return f"{self.subject}: {self.measure} {self.value:.3g}, at most {least:.3g} is allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """This table beside that of the champion.

    Attributes
    ----------
    n_units, n_units_before
        Groups, or families of near-duplicates.
    lost
        Subjects that the champion's table had, and that this one has not, or of another kind.
    not_compared
        Subjects that the champion's table had not, or too little of.
    principal_angles
        Between the first principal axes of both embeddings, in degrees, the smallest first.
    problem
        Why nothing could be compared; empty where it could.
    """

    champion: str
    n_rows: int = 0
    n_units: int = 0
    n_rows_before: int = 0
    n_units_before: int = 0
    measures: tuple[DriftMeasure, ...] = ()
    lost: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    principal_angles: tuple[float, ...] = ()
    problem: str = ""

    @property
    def found(self) -> tuple[str, ...]:
        """What is drift, each in a line."""
        moved = (measure.describe() for measure in self.measures if measure.is_drift)
        return (*(f"{subject}: it is gone, or of another kind" for subject in self.lost), *moved)

    def to_json(self) -> dict[str, Any]:
        """Return the part `drift` of evaluation.json."""
        return {
            "champion": self.champion,
            "n_rows": self.n_rows,
            "n_units": self.n_units,
            "n_rows_before": self.n_rows_before,
            "n_units_before": self.n_units_before,
            "measures": [measure.to_json() for measure in self.measures],
            "lost": list(self.lost),
            "not_compared": list(self.not_compared),
            "principal_angles": [round(angle, 2) for angle in self.principal_angles],
            "problem": self.problem,
        }
