"""Cross-fitted predictions: each row is predicted by a model not trained on the row's group.

How it works
------------
1. The rows of the table are cut into folds of whole groups with similar class shares.  A salted
   hash assigns the groups to folds (`job.stages.split.folds.cut_hash_folds`).
2. For each fold, the chosen candidate is fitted to the other folds, including preprocessing and
   calibration, and predicts the fold.
3. The search chose the candidate by the labels of most of these rows, so the candidate's scores
   would be too optimistic.  The choice is therefore repeated for each fold, by the search's
   out-of-fold predictions of the rows in the other folds.  If another candidate is then chosen,
   that candidate predicts the fold.
4. The procedure is close to nested cross-validation.  The difference is that some of the
   out-of-fold predictions come from models that were trained on rows of the fold.
5. The choice is not repeated if the candidate was chosen on the challenge set.  A repeated choice
   is ignored if the two candidates predict different classes in at most 0.5% of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.metrics import METRICS
from job.contracts.ports import Executor
from job.contracts.reports.search import CandidateScore, SearchedLabels, SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.search_metric import is_label_metric
from job.stages.split.folds import ClassCounts, Fold, cut_hash_folds, drop_near_duplicates
from job.stages.split.holdout import digest_groups
from job.stages.training.out_of_fold import predict_out_of_fold
from job.stages.training.search.choice import choose
from job.stages.training.search.preference import find_preferred

MIN_FOLDS: Final = 2
MAX_DISAGREEMENT: Final = 0.005  # share of rows; candidates that differ less count as equal


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFit:
    """Cross-fitted predictions of all rows of a table, in the order of the table.

    Attributes
    ----------
    chosen
        Predictions by the candidate that the search chose.
    nested
        Predictions of each row by the candidate that is chosen without the labels of the row's
        fold.
    baselines
        Pairs of a baseline's name and the baseline's predictions of all rows, with the same folds.
    fold
        Fold of each row, shape (n_rows,).
    choices
        For each fold, the candidate that made the predictions in `nested`.
    is_nested
        Whether the choice was repeated for each fold.
    """

    chosen: Predictions
    nested: Predictions
    baselines: tuple[tuple[str, Predictions], ...]
    fold: Array
    choices: tuple[CandidateScore, ...]
    is_nested: bool

    @property
    def n_folds(self) -> int:
        """Number of folds."""
        return len(self.choices)

    def n_other_choices(self, chosen: CandidateScore) -> int:
        """Return the number of folds for which a candidate other than `chosen` was chosen."""
        return sum(choice != chosen for choice in self.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldPlan:
    """The folds of a cross-fitted evaluation.

    Attributes
    ----------
    fold
        Fold of each row, shape (n_rows,).
    folds
        Train and test positions of each fold; the training rows include every class.
    """

    fold: Array
    folds: tuple[Fold, ...]


def plan_folds(rows: Rows, n_folds: int, salt: str) -> FoldPlan | None:
    """Cut the rows into `n_folds` folds, or into fewer if the smallest class has fewer groups.

    Returns
    -------
    plan
        None if there would be fewer than two folds, or if a class would lack training rows in a
        fold.
    """
    labels = pd.factorize(np.asarray(rows.y, dtype=object), sort=True)[0]
    groups = np.unique(rows.groups, return_inverse=True)[1]
    counts = ClassCounts.of(labels, groups)
    n_folds = min(n_folds, int(np.bincount(counts.label).min()))
    if n_folds < MIN_FOLDS:
        return None
    digests = digest_groups(rows, groups, int(groups.max()) + 1, salt)
    fold = cut_hash_folds(labels, groups, digests, n_folds)
    cuts = [(np.flatnonzero(fold != n), np.flatnonzero(fold == n)) for n in np.unique(fold)]
    folds = drop_near_duplicates(cuts, rows.near_duplicate_groups)
    n_classes = int(labels.max()) + 1
    if any(len(np.unique(labels[train_index])) < n_classes for train_index, _ in folds):
        return None
    fold = np.unique(fold, return_inverse=True)[1]
    return FoldPlan(fold=fold, folds=tuple(folds))


def cross_fit(
    rows: Rows,
    train_index: Array,
    feature_matrices: FeatureMatrices,
    report: SearchReport,
    *,
    spec: TrainingSpec,
    executor: Executor,
    plan: FoldPlan,
) -> CrossFit:
    """Return cross-fitted predictions by the candidate that the search chose, and by baselines.

    Parameters
    ----------
    rows
        All rows of the table, including the held-out ones.
    train_index
        Positions of the rows that the search used, shape (n_train,).
    feature_matrices
        Feature matrices of `rows`.
    """
    predict = partial(
        predict_out_of_fold, rows, feature_matrices, spec=spec, executor=executor, folds=plan.folds
    )
    chosen = predict(report.chosen)
    choices = _repeat_choice(report, plan, train_index, rows.groups[train_index])
    baselines = tuple(
        (c.estimator, chosen if c == report.chosen else predict(c)) for c in report.baselines
    )
    return CrossFit(
        chosen=chosen,
        nested=_predict_nested(report, chosen, choices, plan.fold, predict),
        baselines=baselines,
        fold=plan.fold,
        choices=choices,
        is_nested=len(_find_finalists(report)) > 1 and report.labels is not None,
    )


def _predict_nested(
    report: SearchReport,
    chosen: Predictions,
    choices: tuple[CandidateScore, ...],
    fold: Array,
    predict: Callable[[CandidateScore], Predictions],
) -> Predictions:
    """Return predictions in which the candidate `choices[n]` predicts the rows of fold n.

    Parameters
    ----------
    chosen
        Predictions of all rows by the candidate that the search chose.
    choices
        The candidate that predicts each fold.
    """
    nested = chosen
    for other in (c for c in report.candidates if c != report.chosen and c in choices):
        mask = np.isin(fold, [n for n, choice in enumerate(choices) if choice == other])
        nested = _replace_rows(nested, predict(other), mask)
    return nested


def _replace_rows(predictions: Predictions, others: Predictions, mask: Array) -> Predictions:
    """Return a copy of `predictions` that takes the rows in the mask from `others`."""
    return replace(predictions, proba=np.where(mask[:, None], others.proba, predictions.proba))


def _find_finalists(report: SearchReport) -> list[int]:
    """Return the positions of the candidates among which the choice is repeated.

    If the candidate was chosen on the challenge set, only its position is returned.
    """
    if report.chosen_on == "challenge":
        return [report.candidates.index(report.chosen)]
    return [n for n, candidate in enumerate(report.candidates) if candidate.ended is None]


def _repeat_choice(
    report: SearchReport, plan: FoldPlan, train_index: Array, groups: Array
) -> tuple[CandidateScore, ...]:
    """Return, for each fold, the candidate that is chosen without the labels of the fold."""
    labels, finalists, metric = report.labels, _find_finalists(report), METRICS[report.metric]
    if labels is None or len(finalists) < 2 or not is_label_metric(metric):
        return (report.chosen,) * len(plan.folds)
    chosen = report.candidates.index(report.chosen)
    preferred = find_preferred(report.candidates, report.prefers)
    choices = []
    for n in range(len(plan.folds)):
        mask = plan.fold[train_index] != n
        choice = choose(labels, finalists, metric, groups, mask, preferred=preferred)
        choices.append(report.candidates[choice if _differ(labels, choice, chosen) else chosen])
    return tuple(choices)


def _differ(labels: SearchedLabels, one: int, other: int) -> bool:
    """Return whether two candidates predict different classes in more than 0.5% of the rows."""
    first, second = labels.y_pred[one], labels.y_pred[other]
    has_both = (first >= 0) & (second >= 0)
    return bool((first != second)[has_both].mean() > MAX_DISAGREEMENT) if has_both.any() else False
