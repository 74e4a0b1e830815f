"""Scores on batches of another class mix whose embeddings are standardized anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from job.contracts.reports.intervals import Interval

StatedBy = Literal["settings", "suite", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchScore:
    """Batches in which most rows are of one class.

    Attributes
    ----------
    name
        The class.
    accuracy
        Share of rows classified correctly after the batch was standardized anew.
    accuracy_as_given
        The same for the same rows with the embeddings of the table.
    accuracy_recentered
        The same after the consumer recentered the batch; None unless rows are restored.
    """

    name: str
    accuracy: float
    accuracy_as_given: float
    accuracy_recentered: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the scores with six decimals."""
        return {
            "class": self.name,
            "accuracy": round(self.accuracy, 6),
            "accuracy_as_given": round(self.accuracy_as_given, 6),
            "accuracy_recentered": _rounded(self.accuracy_recentered),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StressReport:
    """Accuracy on standardized batches, by the majority class of the batch.

    Attributes
    ----------
    stated_by
        Source of the information that embeddings are standardized per batch.
    share
        Share of the majority class in a batch; the other classes share the rest evenly.
    n_batch_rows, n_draws
        Rows of a batch, and batches drawn for each class.
    n_rows, n_groups
        Test rows that batches are drawn from, and their groups.
    n_classes_left_out
        Classes without enough rows for a batch, or not drawn because there are too many.
    classes
        Scores by class, sorted by name; at least one.
    interval
        Interval of the mean accuracy over the groups of the drawn rows; None with too few groups.
    level
        Confidence level of the interval.
    """

    stated_by: StatedBy
    share: float
    n_batch_rows: int
    n_draws: int
    n_rows: int
    n_groups: int
    n_classes_left_out: int
    classes: tuple[BatchScore, ...]
    interval: Interval | None
    level: float

    @property
    def accuracy(self) -> float:
        """Mean accuracy over the classes."""
        return sum(score.accuracy for score in self.classes) / len(self.classes)

    @property
    def accuracy_as_given(self) -> float:
        """Mean accuracy over the classes, with the embeddings of the table."""
        return sum(score.accuracy_as_given for score in self.classes) / len(self.classes)

    @property
    def accuracy_recentered(self) -> float | None:
        """Mean accuracy over the classes after the consumer recentered the batches."""
        accuracies = [
            score.accuracy_recentered
            for score in self.classes
            if score.accuracy_recentered is not None
        ]
        return sum(accuracies) / len(accuracies) if accuracies else None

    @property
    def worst(self) -> BatchScore:
        """The score of the class with the lowest accuracy; of equal ones, the first."""
        return min(self.classes, key=lambda score: score.accuracy)

    def to_json(self) -> dict[str, Any]:
        """Return the part `stress` of evaluation.json."""
        counts = ("n_batch_rows", "n_draws", "n_rows", "n_groups", "n_classes_left_out")
        return {
            "stated_by": self.stated_by,
            "share": self.share,
            **{name: getattr(self, name) for name in counts},
            "accuracy": round(self.accuracy, 6),
            "accuracy_as_given": round(self.accuracy_as_given, 6),
            "accuracy_recentered": _rounded(self.accuracy_recentered),
            "interval": None if self.interval is None else self.interval.to_json(),
            "level": self.level,
            "worst": self.worst.to_json(),
            "classes": [score.to_json() for score in self.classes],
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
