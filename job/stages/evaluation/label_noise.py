"""Estimate by confident learning how many labels are wrong, and which ones.

How it works
------------
1. Every row has out-of-fold probabilities, by a model that was not trained on the row's group.
2. The threshold of a class is the mean probability of the class over the rows labelled with it.  A
   row confidently belongs to the most probable of the classes whose thresholds it reaches.
3. The confident joint is a matrix that counts rows by label and by the class that they confidently
   belong to.  Of a label's counted rows, a share belongs to other classes.  This share times the
   number of all rows with the label is the estimated number of wrong labels.
4. A bootstrap over groups gives the interval of the overall share.
5. If a list of suspected rows is requested, its length is the estimated number of wrong labels.
   The list starts with the rows that have the lowest probability of their label.

Source: Northcutt, Jiang and Chuang, "Confident Learning" (2021).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.reports.intervals import Interval
from job.contracts.reports.label_noise import ClassLabels, LabelIssue, LabelNoise, LabelPair
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.group_bootstrap import GroupBootstrap, Statistic
from job.stages.metrics.predictions import Predictions
from job.stages.split.folds import sample_groups
from job.stages.training.estimators import find_kind
from job.stages.training.out_of_fold import MAX_FOLDS, predict_out_of_fold

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
    oof_predictions: Predictions | None = None,
) -> LabelNoise:
    """Estimate the label noise from the chosen candidate's out-of-fold predictions.

    If the chosen candidate is the dummy, which predicts the same for every row, the best logistic
    regression takes its place.  For a large table, a seeded sample of whole groups is used.  If the
    settings request a list of suspected rows, all rows are used.

    Parameters
    ----------
    oof_predictions
        Out-of-fold predictions of all rows by the chosen candidate; None to compute them here.
    """
    share = 1.0 if evaluation.label_issues else min(1.0, _N_ROWS / len(train))
    positions = sample_groups(train, share, spec.search.folds, spec.random_state)
    candidate = _choose_candidate(report)
    if oof_predictions is not None and candidate == report.chosen:
        predictions = oof_predictions.take(positions)
    else:
        predictions = predict_out_of_fold(
            train, feature_matrices, candidate, spec=spec, executor=executor, positions=positions
        )
    return _describe_noise(
        predictions, train, positions, candidate.estimator, spec=spec, evaluation=evaluation
    )


def _describe_noise(
    predictions: Predictions,
    train: Rows,
    positions: Array,
    estimator: str,
    *,
    spec: TrainingSpec,
    evaluation: EvaluationSpec,
) -> LabelNoise:
    """Estimate the label noise from `predictions` of the rows at `positions` in `train`."""
    groups = train.groups[positions]
    n_wrong = _estimate_wrong(confident_joint(predictions), predictions)
    issues: tuple[LabelIssue, ...] = ()
    if evaluation.label_issues and train.positions is not None:
        n_issues = round(float(n_wrong.sum()))
        issues = list_issues(predictions, train.positions[positions], n_issues)
    return LabelNoise(
        estimator=estimator,
        folds=min(MAX_FOLDS, spec.search.folds),
        level=evaluation.confidence,
        n_rows=len(positions),
        n_groups=len(np.unique(groups)),
        share=_estimate_share(predictions, groups, evaluation, spec.random_state),
        per_class=_describe_classes(predictions, n_wrong),
        pairs=_list_pairs(n_wrong, predictions.classes),
        issues=issues,
    )


def _choose_candidate(report: SearchReport) -> CandidateScore:
    """Return the chosen candidate; if it predicts a constant, the best logistic regression."""
    if not find_kind(report.chosen.estimator).is_constant:
        return report.chosen
    return next(c for c in report.baselines if not find_kind(c.estimator).is_constant)


def _describe_classes(predictions: Predictions, n_wrong: Array) -> dict[str, ClassLabels]:
    """Return, for each label, the number of its rows and the estimated number of wrong ones."""
    n_rows = np.bincount(predictions.y_true)
    return {
        name: ClassLabels(n_rows=int(n), n_wrong=float(n_as_other.sum()))
        for name, n, n_as_other in zip(predictions.classes, n_rows, n_wrong, strict=True)
    }


def confident_joint(predictions: Predictions) -> Array:
    """Count rows by label and by `confident_class`, shape (n_classes, n_classes)."""
    n_classes = len(predictions.classes)
    confident = confident_class(predictions)
    cells = (predictions.y_true * n_classes + confident)[confident >= 0]
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def list_issues(predictions: Predictions, rows: Array, n_wrong: int) -> tuple[LabelIssue, ...]:
    """List the `n_wrong` rows with the lowest probabilities of their labels, lowest first.

    Rows whose label is also the predicted class are left out, so the list can be shorter.

    Parameters
    ----------
    rows
        Position of each row in the table, shape (n_rows,).
    """
    label_proba = predictions.true_class_proba()
    order = np.argsort(label_proba, kind="stable")[: min(n_wrong, _MAX_LISTED)]
    likely = predictions.y_pred[order]
    return tuple(
        LabelIssue(
            row=int(rows[n]),
            given=predictions.classes[predictions.y_true[n]],
            likely=predictions.classes[other],
            label_quality=round(float(label_proba[n]), 6),
        )
        for n, other in zip(order, likely, strict=True)
        if other != predictions.y_true[n]
    )


def confident_class(predictions: Predictions) -> Array:
    """Return each row's most probable class among those whose threshold it reaches, -1 for none.

    Classes are numbers.  The threshold of a class is the mean probability of the class over the
    rows that are labelled with it.
    """
    y, proba, n_classes = predictions.y_true, predictions.proba, len(predictions.classes)
    sums = np.bincount(y, predictions.true_class_proba(), n_classes)
    thresholds = (sums / np.bincount(y, minlength=n_classes)).astype(proba.dtype)
    is_confident = (proba >= thresholds) & (proba > 0)
    confident: Array = np.where(is_confident, proba, -1).argmax(axis=1)
    return np.where(is_confident.any(axis=1), confident, -1)


def _estimate_wrong(joint: Array, predictions: Predictions) -> Array:
    """Estimate numbers of wrong labels from `joint`, the result of `confident_joint`.

    The counts of each label are scaled to all rows with the label; the diagonal is set to 0.

    Returns
    -------
    n_wrong
        Estimated numbers of rows by label and by likely class, shape (n_classes, n_classes).
    """
    n_rows = np.bincount(predictions.y_true, minlength=len(joint))
    off_diagonal = joint * (1 - np.eye(len(joint)))
    # a label is not wrong merely because no row with it confidently belongs to its class
    n_confident = off_diagonal.sum(axis=1) + np.maximum(np.diag(joint), 1)
    return np.asarray(off_diagonal * (n_rows / n_confident)[:, None])


def _estimate_share(
    predictions: Predictions, groups: Array, spec: EvaluationSpec, random_state: int
) -> Interval:
    """Estimate the share of wrong labels, with an interval by a bootstrap over groups.

    Probabilities and thresholds are not recomputed for each resample.
    """
    n_classes, y = len(predictions.classes), predictions.y_true
    confident = confident_class(predictions)
    is_wrong = (confident >= 0) & (confident != y)
    columns = (
        y,
        np.where(is_wrong, n_classes + y, -1),
        np.where(confident == y, 2 * n_classes + y, -1),
    )
    bootstrap = GroupBootstrap.of(groups, y, spec, random_state)
    group_sums = bootstrap.count(columns, 3 * n_classes)
    measured = bootstrap.measure(group_sums, _make_share_measure(n_classes))
    return measured.interval(bootstrap.n_groups)


def _make_share_measure(n_classes: int) -> Statistic:
    """Return a function that computes the share of wrong labels in each of n resamples.

    The function's argument has shape (n, 3 * n_classes): three counts for each label.  The first
    n_classes columns count all rows with the label, the next ones those that confidently belong to
    another class, and the last ones those that confidently belong to the label.  The result has
    shape (n, 1).  The estimate is the same as in `_estimate_wrong`.
    """

    def measure(sums: Array) -> Array:
        n_rows, wrong, right = sums.reshape(len(sums), 3, n_classes).swapaxes(0, 1)
        estimates = n_rows * wrong / (wrong + np.maximum(right, 1))
        return np.asarray(estimates.sum(axis=1) / n_rows.sum(axis=1))[:, None]

    return measure


def _list_pairs(n_wrong: Array, classes: tuple[str, ...]) -> tuple[LabelPair, ...]:
    """Return the most frequent pairs of a wrong label and the likely class of the row."""
    order = np.argsort(-n_wrong, axis=None, kind="stable")[:_MAX_PAIRS]
    pairs = zip(*np.unravel_index(order, n_wrong.shape), strict=True)
    return tuple(
        LabelPair(
            given=classes[given], likely=classes[likely], n_rows=float(n_wrong[given, likely])
        )
        for given, likely in pairs
        if n_wrong[given, likely] > 0
    )
