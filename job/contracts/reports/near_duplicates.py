"""Counts of duplicates and near-duplicates, and the optimism of a random split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateReport:
    """Counts of duplicates in the table that is split.

    Attributes
    ----------
    found_by
        What was compared: text, embeddings, or none.
    n_exact_duplicates
        Rows beyond the first of each text.
    n_near_duplicates
        Texts beyond the first of each group of near-duplicates.
    n_groups
        Groups of near-duplicates of more than one text.
    largest
        Numbers of rows of the largest groups.
    n_near_official_test
        Training rows that are near-duplicates of official test rows; they are kept.
    """

    found_by: Literal["text", "embeddings", "none"] = "none"
    n_exact_duplicates: int = 0
    n_near_duplicates: int = 0
    n_groups: int = 0
    largest: tuple[int, ...] = ()
    n_near_official_test: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the counts."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {**values, "largest": list(self.largest)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimism:
    """Accuracy of one cheap classifier, cross-validated by rows and by groups."""

    estimator: str
    n_rows: int
    folds: int
    random_accuracy: float
    leakage_safe_accuracy: float

    def to_json(self) -> dict[str, Any]:
        """Return both scores and how they were computed."""
        return {name: getattr(self, name) for name in self.__slots__}
