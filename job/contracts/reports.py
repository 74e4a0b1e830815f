"""What stages find out: plain values that become JSON, without a cell of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from job.contracts.duplicates import FamilyReport, Optimism
from job.contracts.search_specs import Use

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Severity = Literal["critical", "warning", "info"]
Preference = Literal["score", "wording"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One expectation and what it met.

    Attributes
    ----------
    rule
        The expectation's type.
    column
        Role or column it is about, or None for the whole table.
    is_met
        Whether it holds within its tolerance.
    n_broken
        Rows that break it; 0 for expectations about the whole column.
    rows
        Positions of those rows.
    thresholds
        The rule's own bounds, as configured.
    observed
        A number it measured, where it is a count or a share.
    """

    rule: str
    column: str | None
    severity: Severity
    is_met: bool
    n_rows: int
    n_broken: int = 0
    rows: tuple[int, ...] = field(default=(), repr=False)
    thresholds: tuple[tuple[str, Any], ...] = ()
    observed: float | None = None
    has_failed_to_run: bool = False
    is_applicable: bool = True

    def to_json(self) -> dict[str, Any]:
        """Give counts and thresholds; row positions stay inside the process."""
        return {
            "rule": self.rule,
            "column": self.column,
            "severity": self.severity,
            "is_met": self.is_met,
            "n_rows": self.n_rows,
            "n_broken": self.n_broken,
            "thresholds": dict(self.thresholds),
            "observed": self.observed,
            "has_failed_to_run": self.has_failed_to_run,
            "is_applicable": self.is_applicable,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """Every rule's result and what was dropped for it."""

    suite: str
    results: tuple[RuleResult, ...]
    n_rows: int
    n_dropped: int
    dropped_by_rule: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """Give the content of validation.json."""
        return {
            "suite": self.suite,
            "n_rows": self.n_rows,
            "n_dropped": self.n_dropped,
            "dropped_by_rule": dict(self.dropped_by_rule),
            "is_met": all(r.is_met for r in self.results if r.severity == "critical"),
            "n_warnings": sum(not r.is_met and r.severity != "critical" for r in self.results),
            "rules": [result.to_json() for result in self.results],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReport:
    """What the split did, in counts.

    Attributes
    ----------
    n_dealt_classes
        Classes that the hash, or the seed, had left out of a side, and that were dealt anew.
    n_large_groups, n_rows_large_groups
        Groups of more than an eighth of their class, which are always trained on, and their rows.
    n_dropped_challenge
        Rows of the table left out because they, or near-duplicates, stand in the challenge set.
    optimism
        None where nothing could be scored.
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
    n_conflicting_keys: int
    n_conflicting_rows: int
    test_only_classes: tuple[str, ...]
    n_test_only_rows: int
    class_rows: tuple[tuple[str, int, int], ...]
    n_dealt_classes: int = 0
    n_large_groups: int = 0
    n_rows_large_groups: int = 0
    n_dropped_challenge: int = 0
    families: FamilyReport = field(default_factory=FamilyReport)
    optimism: Optimism | None = None

    @property
    def class_share_difference(self) -> float:
        """Largest difference between a class's shares of the training and the test rows."""
        n_train, n_test = max(self.n_train, 1), max(self.n_test, 1)
        return max(
            (abs(train / n_train - test / n_test) for _, train, test in self.class_rows),
            default=0.0,
        )

    def to_json(self) -> dict[str, Any]:
        """Give the counts, with each class's share of both sides."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "class_rows"}
        values["test_only_classes"] = list(self.test_only_classes)
        values["families"] = self.families.to_json()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateScore:
    """One candidate and its scores in the folds of the last round that it was in.

    Attributes
    ----------
    use
        The feature blocks that it was given.
    n_samples
        Rows of that round.
    ended
        Why it is not among those that one is chosen from, or None: it was not kept by successive
        halving, or it was stopped early.
    challenge_score
        By the search's metric on the challenge set; None where that does not choose.
    """

    estimator: str
    parameters: tuple[tuple[str, Any], ...]
    use: Use
    fold_scores: tuple[float, ...]
    n_samples: int = 0
    ended: Literal["halved", "beaten"] | None = None
    challenge_score: float | None = None

    @property
    def mean_score(self) -> float:
        """The mean over the folds."""
        return sum(self.fold_scores) / len(self.fold_scores)

    def to_json(self) -> dict[str, Any]:
        """Give the candidate with its fold scores."""
        return {
            "estimator": self.estimator,
            "parameters": dict(self.parameters),
            "input": list(self.use),
            "n_samples": self.n_samples,
            "fold_scores": list(self.fold_scores),
            "mean_score": self.mean_score,
            "ended": self.ended,
            "challenge_score": self.challenge_score,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedLabels:
    """Labels that the candidates predicted for the training rows, out of fold.

    Attributes
    ----------
    y_true, y_pred
        Positions in the sorted classes, shapes (n_rows,) and (n_candidates, n_rows); -1 where a
        candidate predicted nothing in the last round.
    fold
        Fold of the last round in which each row was predicted, -1 where in none; (n_rows,).
    """

    n_classes: int
    y_true: npt.NDArray[np.int64]
    y_pred: npt.NDArray[np.int16]
    fold: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReport:
    """All candidates, the chosen one, and the baselines to be shown beside it.

    Attributes
    ----------
    is_cut_short
        Whether time was over before all rounds and folds were done.
    labels
        What the candidates predicted, where `metric` is one of labels.
    prefers
        `wording`: candidates that are robust to wording are chosen where their scores are near.
    """

    metric: str
    candidates: tuple[CandidateScore, ...]
    chosen: CandidateScore
    baselines: tuple[CandidateScore, ...]
    is_cut_short: bool = False
    prefers: Preference = "score"
    chosen_on: Literal["table", "challenge"] = "table"
    labels: SearchedLabels | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Give every candidate's fold scores."""
        return {
            "metric": self.metric,
            "is_cut_short": self.is_cut_short,
            "prefers": self.prefers,
            "chosen_on": self.chosen_on,
            "chosen": self.chosen.to_json(),
            "candidates": [candidate.to_json() for candidate in self.candidates],
        }
