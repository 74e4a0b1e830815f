"""The report of the split."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from job.contracts.reports.near_duplicates import DuplicateReport, Optimism


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReport:
    """Counts of the split.

    Attributes
    ----------
    n_rebalanced_classes
        Classes that were absent from train or test after the hash or the seed, and were rebalanced.
    n_large_groups, n_rows_large_groups
        Groups of more than an eighth of their class, which are always trained on, and their rows.
    n_dropped_challenge
        Rows left out because they, or near-duplicates of them, are in the challenge set.
    near_duplicates
        Counts of duplicates and of groups of near-duplicates.
    optimism
        None if it could not be measured.
    """

    method: str
    key: str
    n_train: int
    n_test: int
    n_train_keys: int
    n_test_keys: int
    n_dropped_leaking: int
    n_dropped_rare_class: int
    n_rare_classes: int
    n_conflicting_texts: int
    n_conflicting_rows: int
    test_only_classes: tuple[str, ...]
    n_test_only_rows: int
    class_rows: tuple[tuple[str, int, int], ...]
    n_rebalanced_classes: int = 0
    n_large_groups: int = 0
    n_rows_large_groups: int = 0
    n_dropped_challenge: int = 0
    near_duplicates: DuplicateReport = field(default_factory=DuplicateReport)
    optimism: Optimism | None = None

    @property
    def class_share_difference(self) -> float:
        """Maximum over the classes of |share of the training rows - share of the test rows|."""
        n_train, n_test = max(self.n_train, 1), max(self.n_test, 1)
        return max(
            (abs(train / n_train - test / n_test) for _, train, test in self.class_rows),
            default=0.0,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the counts, with the share of each class in train and test."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "class_rows"}
        values["test_only_classes"] = list(self.test_only_classes)
        values["near_duplicates"] = self.near_duplicates.to_json()
        values["optimism"] = None if self.optimism is None else self.optimism.to_json()
        values["class_share_difference"] = self.class_share_difference
        values["classes"] = {
            name: {
                "n_train": train,
                "n_test": test,
                "train_share": train / max(self.n_train, 1),
                "test_share": test / max(self.n_test, 1),
            }
            for name, train, test in self.class_rows
        }
        return values
