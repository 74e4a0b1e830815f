"""The report of the search for the best candidate (estimator, hyperparameters and input)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from job.contracts.reports.part import Count, NotPublished, Part
from job.contracts.settings.search import FeatureBlocks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Preference = Literal["score", "wording"]
Parameters = Annotated[
    tuple[tuple[str, object], ...],
    BeforeValidator(lambda value: tuple(value.items()) if isinstance(value, dict) else value),
    PlainSerializer(dict),
    WithJsonSchema({"type": "object"}),
]


def _mean(candidate: Mapping[str, Any]) -> float:
    scores = candidate["fold_scores"]
    return sum(scores) / len(scores) if scores else 0.0


class CandidateScore(Part):
    """A candidate, and its scores in the last round of the search that included the candidate."""

    estimator: str
    parameters: Parameters
    feature_blocks: FeatureBlocks = Field(
        alias="input", description="Kinds of input columns that the candidate takes."
    )
    n_samples: Count = Field(
        0, description="Number of rows in the last round that included the candidate."
    )
    fold_scores: tuple[float, ...]
    mean_score: float = Field(default_factory=_mean, description="Mean of `fold_scores`.")
    ended: Literal["halved"] | None = Field(
        None,
        description="Why the candidate cannot be chosen: `halved` if successive halving eliminated "
        "it; null if it can be chosen.",
    )
    challenge_score: float | None = Field(
        None,
        description="`search.metric` on the challenge set; null unless the set decides the choice.",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchedLabels(NotPublished):
    """True classes of the training rows, and the candidates' out-of-fold predictions.

    Attributes
    ----------
    y_true
        True classes as positions in the sorted classes, shape (n_rows,).
    y_pred
        Predicted classes as positions in the sorted classes, shape (n_candidates, n_rows); -1 for
        rows that a candidate did not predict in the last round.
    fold
        Fold in which each row was predicted in the last round, shape (n_rows,); -1 if in none.
    """

    n_classes: int
    y_true: npt.NDArray[np.int64]
    y_pred: npt.NDArray[np.int16]
    fold: npt.NDArray[np.int16]


class SearchReport(Part):
    """All candidates with their scores, and the chosen candidate."""

    metric: str
    candidates: tuple[CandidateScore, ...]
    chosen: CandidateScore
    is_cut_short: bool = Field(
        False,
        description="Whether the time budget ended the search before all rounds and folds were "
        "completed.",
    )
    prefers: Preference = Field(
        "score",
        description="`wording`: among candidates with similar scores, those robust to wording are "
        "preferred. Absent in files of earlier releases.",
    )
    chosen_on: Literal["table", "challenge"] = Field(
        "table", description="Data that decided the choice. Absent in files of earlier releases."
    )
    # simple candidates, fitted to the same rows as the chosen one; the report shows their scores
    baselines: SkipJsonSchema[tuple[CandidateScore, ...]] = Field((), exclude=True)
    # predicted labels of the candidates; None if `metric` is computed from probabilities
    labels: SkipJsonSchema[SearchedLabels | None] = Field(None, exclude=True, repr=False)
