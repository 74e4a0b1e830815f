"""Cross-fitted predictions: each row's, by a model of the recipe that has not seen its group.

How it works
------------
1. The rows of the table are cut into folds: whole groups, class shares kept, in the order of the
   groups' salted hash (`job.stages.split.folds.cut_hash_folds`).
2. For each fold, the chosen candidate is fitted to the other folds, preprocessing and calibration
   included, and predicts the fold.
3. The search chose the candidate with the labels of most of these rows.  Where it could have chosen
   another one, the choice is made again for each fold, by the search's out-of-fold predictions of
   the rows in the other folds; a fold for which it differs is predicted by that other candidate.
   So the scores are those of the recipe, the choice included.  It is nearly nested
   cross-validation: the models that chose have seen rows of the fold, but are not judged by them.
4. A choice between candidates whose out-of-fold labels differ in at most half a percent of the rows
   would not matter, and is not made again; nor is one that the challenge set has made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from job.contracts.dataset import Rows
from job.contracts.metrics import Metric
from job.contracts.ports import Executor
from job.contracts.reports.search import CandidateScore, SearchedLabels, SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.predictions import Predictions
from job.stages.split.folds import Fold, GroupCounts, cut_hash_folds, without_near_rows
from job.stages.split.holdout import digest_groups
from job.stages.training.out_of_fold import predict_out_of_fold
from job.stages.training.search.choice import choose
from job.stages.training.search.preference import find_preferred

Array = np.ndarray[Any, Any]
MIN_FOLDS: Final = 2
MAX_SAME: Final = 0.005  # share of rows in which the labels of candidates that are the same differ


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFit:
    """Predictions of all rows of a table, in its order.

    Attributes
    ----------
    chosen
        By the candidate that is published.
    nested
        By the candidate that would have been chosen without the row's fold.
    baselines
        By each baseline, in the same folds.
    fold
        Shape (n_rows,).
    choices
        The candidate behind `nested`, for each fold.
    is_nested
        Whether the choice was made again for each fold.
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
        """Count the folds for which another candidate was chosen."""
        return sum(choice != chosen for choice in self.choices)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldPlan:
    """How the rows of a table are cut.

    Attributes
    ----------
    fold
        Of each row, shape (n_rows,).
    folds
        Positions of the rows to fit to and to predict; every class has rows of both kinds.
    """

    fold: Array
    folds: tuple[Fold, ...]


def plan_folds(rows: Rows, n_folds: int, salt: str) -> FoldPlan | None:
    """Cut the rows into folds, as many as the smallest class has groups, and `n_folds` at most.

    Returns
    -------
    plan
        None where there would be fewer than two, or where some fold would leave a class without
        rows to fit to.
    """
    labels = pd.factorize(np.asarray(rows.y, dtype=object), sort=True)[0]
    groups = np.unique(rows.groups, return_inverse=True)[1]
    counts = GroupCounts.of(labels, groups)
    n_folds = min(n_folds, int(np.bincount(counts.label).min()))
    if n_folds < MIN_FOLDS:
        return None
    digests = digest_groups(rows, groups, int(groups.max()) + 1, salt)
    fold = cut_hash_folds(labels, groups, digests, n_folds)
    cuts = [(np.flatnonzero(fold != n), np.flatnonzero(fold == n)) for n in np.unique(fold)]
    folds = without_near_rows(cuts, rows.near_duplicate_groups)
    n_classes = int(labels.max()) + 1
    if any(len(np.unique(labels[train])) < n_classes for train, _ in folds):
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
    """Predict every row by models of the search's choice, and of its baselines.

    Parameters
    ----------
    rows
        The rows of the table, the held-out ones among them.
    train_index
        Positions of the rows that were searched on, shape (n_train,).
    feature_matrices
        Of `rows`.
    """
    fold, folds, n_folds = plan.fold, plan.folds, len(plan.folds)

    def predict(candidate: CandidateScore) -> Predictions:
        return predict_out_of_fold(
            rows, feature_matrices, candidate, spec=spec, executor=executor, folds=folds
        )

    chosen = predict(report.chosen)
    choices = _choose_again(report, fold, train_index, rows.groups[train_index], n_folds)
    nested = chosen
    for other in (c for c in report.candidates if c != report.chosen and c in choices):
        is_others = np.isin(fold, [n for n, choice in enumerate(choices) if choice == other])
        nested = _replace(nested, predict(other), is_others)
    baselines = tuple(
        (c.estimator, chosen if c == report.chosen else predict(c)) for c in report.baselines
    )
    return CrossFit(
        chosen=chosen,
        nested=nested,
        baselines=baselines,
        fold=fold,
        choices=choices,
        is_nested=len(_finalizts(report)) > 1 and report.labels is not None,
    )


def _replace(some: Predictions, others: Predictions, is_others: Array) -> Predictions:
    """Return predictions in which the rows under a mask are the others'."""
    return replace(some, proba=np.where(is_others[:, None], others.proba, some.proba))


def _finalizts(report: SearchReport) -> list[int]:
    """Return the positions of the candidates among which the table has chosen one."""
    if report.chosen_on == "challenge":
        return [report.candidates.index(report.chosen)]
    return [n for n, candidate in enumerate(report.candidates) if candidate.ended is None]


def _choose_again(
    report: SearchReport, fold: Array, train_index: Array, groups: Array, n_folds: int
) -> tuple[CandidateScore, ...]:
    """Return the candidate that is best without each fold, by the search's own rule."""
    labels, finalizts = report.labels, _finalizts(report)
    if labels is None or len(finalizts) < 2:
        return (report.chosen,) * n_folds
    metric, chosen = Metric(report.metric), report.candidates.index(report.chosen)
    preferred = find_preferred(report.candidates, report.prefers)
    choices = []
    for n in range(n_folds):
        is_left = fold[train_index] != n
        found = choose(labels, finalizts, metric, groups, is_left, preferred=preferred)
        choices.append(report.candidates[found if _differ(labels, found, chosen) else chosen])
    return tuple(choices)


def _differ(labels: SearchedLabels, one: int, other: int) -> bool:
    """Return whether two candidates predict other labels in more than a few rows."""
    first, second = labels.y_pred[one], labels.y_pred[other]
    has_both = (first >= 0) & (second >= 0)
    return bool((first != second)[has_both].mean() > MAX_SAME) if has_both.any() else False
