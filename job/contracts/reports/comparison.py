"""The comparison of a candidate with another model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from job.contracts.reports.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallChange:
    """The recall of one class in both models, with an interval simultaneous over all classes."""

    name: str
    n_rows: int
    champion_recall: float
    candidate_recall: float
    difference: Interval

    def to_json(self) -> dict[str, Any]:
        """Return the numbers of the class."""
        return {
            "n_rows": self.n_rows,
            "champion_recall": round(self.champion_recall, 6),
            "candidate_recall": round(self.candidate_recall, 6),
            "difference": self.difference.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A candidate and another model on rows that neither was trained on.

    Attributes
    ----------
    basis
        `new_rows`: test rows that the other model was not trained on either; `shared_groups`: the
        groups in the tables of both runs, by the cross-fitted predictions of each run;
        `challenge`: the challenge set, by both published models.
    n_excluded
        Rows left out: the other model was trained on them, or on their group or text; or the table
        of the other run does not have their group with their label.
    standard_error
        Standard error of the difference; None if the two models are identical.
    role
        `champion_model`: the additional comparison of the published models on test rows, if the
        recipes are compared on shared groups as `champion`.
    is_advisory
        Whether the comparison only warns: that of an incomparable anchor which a run has set, and
        that of published models in addition to the recipes.
    difference
        Candidate minus champion, with its interval of level 1 - 2 alpha: each end is a one-sided
        bound.  None if there is no comparison; `problem` is the reason.
    """

    role: Literal["champion", "champion_model", "anchor"]
    version: str
    metric: str
    basis: Literal["new_rows", "shared_groups", "challenge"] = "new_rows"
    n_rows: int = 0
    n_groups: int = 0
    n_excluded: int = 0
    champion_score: float | None = None
    candidate_score: float | None = None
    difference: Interval | None = None
    standard_error: float | None = None
    recalls: tuple[RecallChange, ...] = ()
    problem: str = ""
    is_advisory: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as it is published in the report."""
        content = {name: getattr(self, name) for name in self.__slots__ if name != "is_advisory"}
        content["difference"] = None if self.difference is None else self.difference.to_json()
        content["recalls"] = {change.name: change.to_json() for change in self.recalls}
        return content
