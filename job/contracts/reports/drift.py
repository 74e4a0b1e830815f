"""The drift of a table from the one that the champion was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Measure = Literal[
    "psi", "jensen_shannon", "missing", "class_share", "unseen_words", "mean_shift", "lost_variance"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMeasure:
    """One measure of drift of one subject.

    Attributes
    ----------
    subject
        `classes`, `class <name>`, `column <name>`, `text length`, `words` or `embeddings`.
    before, after
        Values of the champion's table and of this one, if the measure is a change.
    null_quantile
        99.9th percentile of the measure for tables of these sizes when nothing has changed; None if
        it is unknown.
    threshold
        Maximum that is allowed; None if the measure is informational.
    """

    subject: str
    measure: Measure
    value: float
    null_quantile: float | None = None
    threshold: float | None = None
    before: float | None = None
    after: float | None = None

    @property
    def is_drift(self) -> bool:
        """Whether the value exceeds its threshold and its null quantile."""
        return self.threshold is not None and self.value > max(
            self.threshold, self.null_quantile or 0
        )

    def to_json(self) -> dict[str, Any]:
        """Return the measure as it is published in the report."""
        numbers = ("value", "null_quantile", "threshold", "before", "after")
        values = {name: getattr(self, name) for name in numbers}
        rounded = {name: None if v is None else round(v, 6) for name, v in values.items()}
        words = {"subject": self.subject, "measure": self.measure}
        return {**words, **rounded, "is_drift": self.is_drift}

    def describe(self) -> str:
        """Return a line about the measure for a log or an error."""
        limit = max(self.threshold or 0, self.null_quantile or 0)
        return f"{self.subject}: {self.measure} {self.value:.3g}, at most {limit:.3g} is allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """This table compared with that of the champion.

    Attributes
    ----------
    n_groups, n_groups_before
        Number of groups, or of groups of near-duplicates.
    missing_subjects
        Subjects of the champion's table that this one lacks, or has with a different type.
    not_compared
        Subjects of which the champion's table had nothing, or too little.
    principal_angles
        Angles between the first principal axes of both embeddings, in degrees, smallest first.
    problem
        Why nothing could be compared; empty otherwise.
    """

    champion: str
    n_rows: int = 0
    n_groups: int = 0
    n_rows_before: int = 0
    n_groups_before: int = 0
    measures: tuple[DriftMeasure, ...] = ()
    missing_subjects: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    principal_angles: tuple[float, ...] = ()
    problem: str = ""

    @property
    def findings(self) -> tuple[str, ...]:
        """One line for each finding of drift."""
        drifted = (measure.describe() for measure in self.measures if measure.is_drift)
        return (
            *(f"{subject}: it is gone, or of another kind" for subject in self.missing_subjects),
            *drifted,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the part `drift` of evaluation.json."""
        return {
            "champion": self.champion,
            "n_rows": self.n_rows,
            "n_groups": self.n_groups,
            "n_rows_before": self.n_rows_before,
            "n_groups_before": self.n_groups_before,
            "measures": [measure.to_json() for measure in self.measures],
            "missing_subjects": list(self.missing_subjects),
            "not_compared": list(self.not_compared),
            "principal_angles": [round(angle, 2) for angle in self.principal_angles],
            "problem": self.problem,
        }
