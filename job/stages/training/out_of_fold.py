"""Out-of-fold predictions of one candidate on the training rows.

How it works
------------
1. The rows are cut into folds of whole groups, unless folds are given.
2. For each fold, preprocessing and classifier are fitted to the other folds.  With the fast engine
   and a dense matrix, the fit is warm-started from the previous fold's model and run to
   convergence.
3. The fitted model predicts the fold's test rows.
4. A linear SVC yields decision values; when all folds have theirs, they are calibrated
   (`job.stages.training.fold_calibration`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from scipy import sparse

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.reports.search import CandidateScore
from job.contracts.settings.job_settings import TrainingSpec
from job.solver.fit import fit_linear_models, tolerated_suboptimality
from job.solver.previous_models import PreviousModels
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.predictions import Predictions
from job.stages.split.folds import Fold, make_folds
from job.stages.training.estimators import find_kind
from job.stages.training.fold_calibration import calibrate_folds, compute_decisions
from job.stages.training.prototypes import RowGroups
from job.stages.training.sklearn_fit import fit

MAX_FOLDS: Final = 3


def predict_out_of_fold(
    train: Rows,
    feature_matrices: FeatureMatrices,
    candidate: CandidateScore,
    *,
    spec: TrainingSpec,
    executor: Executor,
    positions: Array | None = None,
    folds: Sequence[Fold] | None = None,
) -> Predictions:
    """Predict each row with a model that was fitted neither to it nor to its group.

    Preprocessing is also fitted without the test rows.  The calibration of a linear SVC for a fold
    uses the out-of-fold decision values of the fold's training rows.  The published model is
    calibrated on decision values of the same kind.

    Parameters
    ----------
    feature_matrices
        Those of all training rows.
    positions
        Positions of the rows to predict; None for all of them.
    folds
        Train and test positions of each fold, as indices into `positions`; each row is tested
        once.  None to cut at most `MAX_FOLDS` folds.

    Returns
    -------
    predictions
        In the order of `positions`; a class without training rows in a fold has probability 0
        there.
    """
    if positions is None:
        positions = np.arange(len(train))
    rows = train.take(positions)
    if folds is None:
        folds = make_folds(rows, min(MAX_FOLDS, spec.search.folds), spec.random_state)
    fitter = _FoldFitter(train, feature_matrices, candidate, spec, executor, positions)
    with executor.pool():  # one BLAS thread: identical results on any number of CPUs
        return _predict_folds(fitter, rows.y, positions, folds)


def _predict_folds(
    fitter: _FoldFitter, y: Array, positions: Array, folds: Sequence[Fold]
) -> Predictions:
    """Predict the rows at these positions, with the labels y, fold by fold."""
    classes, codes = np.unique(y.astype(str), return_inverse=True)
    if fitter.calibration is not None:
        decisions = _predict_decisions(fitter, positions, folds, classes)
        proba = calibrate_folds(decisions, codes, folds, fitter.calibration)
    else:
        proba = _predict_proba(fitter, positions, folds, classes)
    return Predictions(
        classes=tuple(classes.tolist()),
        y_true=codes,
        proba=proba,
        model_classes=np.arange(len(classes)),
    )


def _predict_decisions(
    fitter: _FoldFitter, positions: Array, folds: Sequence[Fold], classes: Array
) -> Array:
    """Return the decision values of each row, shape (n_rows, n_classes)."""
    decisions = np.empty((len(positions), len(classes)))
    for train_index, test_index in folds:
        model, transform = fitter.fit(train_index)
        X = transform(positions[test_index])
        decisions[test_index] = compute_decisions(model, X, classes)
    return decisions


def _predict_proba(
    fitter: _FoldFitter, positions: Array, folds: Sequence[Fold], classes: Array
) -> Array:
    """Return the probabilities of each row, shape (n_rows, n_classes), in single precision."""
    proba = np.zeros((len(positions), len(classes)), np.float32)
    for train_index, test_index in folds:
        model, transform = fitter.fit(train_index)
        X = transform(positions[test_index])
        columns = np.searchsorted(classes, model.classes_)
        proba[np.ix_(test_index, columns)] = model.predict_proba(X)
    return proba


class _FoldFitter:
    """Fits one candidate to one fold after another, warm-started from the previous fold's model."""

    def __init__(
        self,
        train: Rows,
        feature_matrices: FeatureMatrices,
        candidate: CandidateScore,
        spec: TrainingSpec,
        executor: Executor,
        positions: Array,
    ) -> None:
        self._feature_matrices, self._candidate = feature_matrices, candidate
        self._spec, self._executor, self._positions = spec, executor, positions
        self._classes, self._codes = np.unique(train.y[positions].astype(str), return_inverse=True)
        needs_calibration = find_kind(candidate.estimator).needs_calibration
        self.calibration = spec.search.calibration if needs_calibration else None
        self._min_groups = math.ceil(spec.features.min_groups * len(positions) / len(train))
        self._groups = train.take(positions).groups
        # the previous fold's model and the column numbers of its matrix
        self._previous: tuple[Any, Array | None] = (None, None)

    def fit(self, train_index: Array) -> tuple[Any, Callable[[Array], Any]]:
        """Return the uncalibrated model and the function that transforms other rows.

        The training matrix is freed on return, before the test matrix is made.
        """
        search, seed = self._spec.search, self._spec.random_state
        name, codes = self._candidate.estimator, self._codes[train_index]
        feature_matrix = self._feature_matrices.fit(
            self._positions[train_index], self._candidate.feature_blocks, self._min_groups
        )
        X = feature_matrix.matrix(search.engine)
        model = find_kind(name).build(dict(self._candidate.parameters), search, seed)
        if search.engine == "fast":
            # sparse fits follow a regularization path instead of a warm start
            is_dense = not sparse.issparse(X)
            model_before, columns_before = self._previous
            fit_linear_models(
                [model],
                X,
                codes,
                self._executor,
                classes=self._classes,
                suboptimality=tolerated_suboptimality(len(self._positions) - len(train_index)),
                before=PreviousModels.of([model_before], columns_before, feature_matrix.columns)
                if is_dense
                else None,
            )
            self._previous = model, feature_matrix.columns
        groups = RowGroups(group=self._groups[train_index], min_groups=self._min_groups)
        y = self._classes[codes]
        fit(model, X, y, name, self._executor.n_workers, groups=groups)
        return model, feature_matrix.transform
