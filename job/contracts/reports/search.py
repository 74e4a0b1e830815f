"""The report of the search: all candidates with their scores, and the chosen one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from job.contracts.settings.search import FeatureBlocks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Preference = Literal["score", "wording"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateScore:
    """One candidate and its scores in the folds of its last round.

    Attributes
    ----------
    feature_blocks
        The feature blocks of its input.
    n_samples
        Number of rows in that round.
    ended
        Why it cannot be chosen: `halved` if successive halving dropped it, `stopped` if it was
        stopped early; None if it can be.
    challenge_score
        The search's metric on the challenge set; None unless that set chooses.
    """

    estimator: str
    parameters: tuple[tuple[str, Any], ...]
    feature_blocks: FeatureBlocks
    fold_scores: tuple[float, ...]
    n_samples: int = 0
    ended: Literal["halved", "stopped"] | None = None
    challenge_score: float | None = None

    @property
    def mean_score(self) -> float:
        """Mean score over the folds."""
        return sum(self.fold_scores) / len(self.fold_scores)

    def to_json(self) -> dict[str, Any]:
        """Return the candidate with its fold scores."""
        return {
            "estimator": self.estimator,
            "parameters": dict(self.parameters),
            "input": list(self.feature_blocks),
            "n_samples": self.n_samples,
            "fold_scores": list(self.fold_scores),
            "mean_score": self.mean_score,
            "ended": self.ended,
            "challenge_score": self.challenge_score,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedLabels:
    """Out-of-fold labels of the candidates for the training rows.

    Attributes
    ----------
    y_true, y_pred
        Positions in the sorted classes, shapes (n_rows,) and (n_candidates, n_rows); -1 where a
        candidate predicted nothing in the last round.
    fold
        Fold of the last round in which each row was predicted, -1 for none, shape (n_rows,).
    """

    n_classes: int
    y_true: npt.NDArray[np.int64]
    y_pred: npt.NDArray[np.int16]
    fold: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchReport:
    """All candidates, the chosen one, and the baselines to compare it with.

    Attributes
    ----------
    is_cut_short
        Whether the time budget ended the search before all rounds and folds were completed.
    labels
        Predicted labels of the candidates; None if `metric` is computed from probabilities.
    prefers
        `wording`: among candidates with similar scores, those robust to wording are preferred.
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
        """Return every candidate's fold scores."""
        return {
            "metric": self.metric,
            "is_cut_short": self.is_cut_short,
            "prefers": self.prefers,
            "chosen_on": self.chosen_on,
            "chosen": self.chosen.to_json(),
            "candidates": [candidate.to_json() for candidate in self.candidates],
        }
