"""Estimate how many labels are wrong, and which, by confident learning.

Northcutt, Jiang and Chuang (2021): a row counts as confidently of a class if its out-of-fold
probability of that class is at least the mean of those rows that carry the label.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.reports.intervals import Interval
from job.contracts.reports.label_noise import ClassLabels, LabelIssue, LabelNoise, LabelPair
from job.contracts.reports.search import SearchReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.confidence_bounds import bootstrap, interval_or_count_bound
from job.stages.metrics.group_bootstrap import count_by_group
from job.stages.metrics.predictions import Predictions
from job.stages.split.folds import sample_groups
from job.stages.training.out_of_fold import MAX_FOLDS, predict_out_of_fold

Array = np.ndarray[Any, Any]
_N_ROWS: Final = 20_000  # enough for estimates
_MAX_PAIRS: Final = 20
_MAX_LISTED: Final = 5000


def estimate_label_noise(
    train: Rows,
    feature_matrices: FeatureMatrices,
    report: SearchReport,
    *,
    spec: TrainingSpec,
    evaluation: EvaluationSpec,
    executor: Executor,
    told: Predictions | None = None,
) -> LabelNoise:
    """Judge the labels of the training side by the chosen candidate, out of fold.

    Where that is the dummy, which knows no row from another, the best logistic regression judges.

    A larger table is sampled by whole units, seeded, unless its rows are to be listed.

    Parameters
    ----------
    told
        Out-of-fold predictions of all rows by the chosen candidate, if they are known: it is not
        fitted once more.
    """
    share = 1.0 if evaluation.label_issues else min(1.0, _N_ROWS / len(train))
    positions = sample_groups(train, share, spec.search.folds, spec.random_state)
    judge = report.chosen
    if judge.estimator == "dummy":
        judge = next(c for c in report.baselines if c.estimator == "logistic_regression")
    if told is not None and judge == report.chosen:
        found = told.take(positions)
    else:
        found = predict_out_of_fold(
            train, feature_matrices, judge, spec=spec, executor=executor, positions=positions
        )
    groups = train.groups[positions]
    joint = confident_joint(found)
    wrong = _estimate(joint, found)
    total = float(wrong.sum())
    rows = train.positions if evaluation.label_issues else None
    return LabelNoise(
        estimator=judge.estimator,
        folds=min(MAX_FOLDS, spec.search.folds),
        level=evaluation.confidence,
        n_rows=len(positions),
        n_groups=len(np.unique(groups)),
        share=_find_share(found, groups, evaluation, spec.random_state),
        classes=tuple(
            ClassLabels(name=name, n_rows=int(n), n_wrong=float(some.sum()))
            for name, n, some in zip(found.classes, np.bincount(found.y_true), wrong, strict=True)
        ),
        pairs=_list_pairs(wrong, found.classes),
        issues=() if rows is None else list_issues(found, rows[positions], round(total)),
    )


def confident_joint(found: Predictions) -> Array:
    """Count rows by given and by confident class, shape (n_classes, n_classes)."""
    n_classes = len(found.classes)
    confident = confident_class(found)
    cells = (found.y_true * n_classes + confident)[confident >= 0]
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def list_issues(found: Predictions, rows: Array, n_wrong: int) -> tuple[LabelIssue, ...]:
    """List as many rows as are believed to be wrong, the most doubtful first.

    A row that the model takes for what it is labelled is not among them.
    """
    own = found.true_class_proba()
    order = np.argsort(own, kind="stable")[: min(n_wrong, _MAX_LISTED)]
    likely = found.y_pred[order]
    return tuple(
        LabelIssue(
            row=int(rows[n]),
            given=found.classes[found.y_true[n]],
            likely=found.classes[other],
            score=round(float(own[n]), 6),
        )
        for n, other in zip(order, likely, strict=True)
        if other != found.y_true[n]
    )


def confident_class(found: Predictions) -> Array:
    """Return the class that each row confidently is of, -1 for none; of several, the likeliest."""
    y, proba = found.y_true, found.proba
    sums = np.bincount(y, found.true_class_proba(), len(found.classes))
    least = (sums / np.bincount(y, minlength=len(found.classes))).astype(proba.dtype)
    is_confident = (proba >= least) & (proba > 0)
    confident: Array = np.where(is_confident, proba, -1).argmax(axis=1)
    return np.where(is_confident.any(axis=1), confident, -1)


def _estimate(joint: Array, found: Predictions) -> Array:
    """Scale what was counted up to the rows of each class; its diagonal is left 0."""
    n_rows = np.bincount(found.y_true, minlength=len(joint))
    wrong = joint * (1 - np.eye(len(joint)))
    # a class that is never met confidently is not therefore wrong
    n_confident = wrong.sum(axis=1) + np.maximum(np.diag(joint), 1)
    return np.asarray(wrong * (n_rows / n_confident)[:, None])


def _find_share(
    found: Predictions, groups: Array, spec: EvaluationSpec, random_state: int
) -> Interval:
    """Draw the groups again; the probabilities and the thresholds stay."""
    n_classes, y, confident = len(found.classes), found.y_true, confident_class(found)
    is_wrong = (confident >= 0) & (confident != y)
    cells = (
        y,
        np.where(is_wrong, n_classes + y, -1),
        np.where(confident == y, 2 * n_classes + y, -1),
    )
    group_sums = count_by_group(groups, y, cells, 3 * n_classes)
    rng, tail = np.random.default_rng(random_state), (1 - spec.confidence) / 2
    point, bounds = bootstrap(group_sums, _measure_of(n_classes), spec.resamples, rng, tail)
    return interval_or_count_bound(point[0], *bounds[:, 0], n_groups=group_sums.n_groups, tail=tail)


def _measure_of(n_classes: int) -> Callable[[Array], Array]:
    """Make the share of wrong labels, as `_estimate` has it, of sums (n, 3 * n_classes)."""

    def measure(sums: Array) -> Array:
        n_rows, wrong, right = sums.reshape(len(sums), 3, n_classes).swapaxes(0, 1)
        estimates = n_rows * wrong / (wrong + np.maximum(right, 1))
        return np.asarray(estimates.sum(axis=1) / n_rows.sum(axis=1))[:, None]

    return measure


def _list_pairs(wrong: Array, classes: tuple[str, ...]) -> tuple[LabelPair, ...]:
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MAX_PAIRS]
    places = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return tuple(
        LabelPair(given=classes[given], likely=classes[likely], n_rows=float(wrong[given, likely]))
        for given, likely in places
        if wrong[given, likely] > 0
    )
