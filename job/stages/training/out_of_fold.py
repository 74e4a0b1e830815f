"""Out-of-fold predictions of one candidate on the training rows.

How it works
------------
1. The rows are cut into folds of whole groups, unless folds are given.
2. For each fold, preprocessing and classifier are fitted to the other folds.  With the fast engine
   and a dense matrix, the fit is warm-started from the previous fold's model and run to
   convergence.
3. The fitted model predicts the fold's test rows.
4. A linear SVC yields decision values.  When all folds are predicted, the decision values are
   calibrated (`job.stages.training.fold_calibration`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from scipy import sparse

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.model import Classifier, Estimator
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
    """Predict each row with a model that was not fitted to any row of the same group.

    Preprocessing is also fitted without the test rows.  A linear SVC is calibrated for each fold on
    the out-of-fold decision values of the fold's training rows.  The published model is also
    calibrated on out-of-fold decision values.

    Parameters
    ----------
    feature_matrices
        Feature matrices of all training rows.
    positions
        Positions of the rows to predict; None for all of them.
    folds
        Train and test positions of each fold, as indices into `positions`; each row is tested
        once.  If None, at most `MAX_FOLDS` folds are cut.

    Returns
    -------
    predictions
        In the order of `positions`; a class without training rows in a fold has probability 0 in
        this fold.
    """
    if positions is None:
        positions = np.arange(len(train))
    if folds is None:
        n_folds = min(MAX_FOLDS, spec.search.folds)
        folds = make_folds(train.take(positions), n_folds, spec.random_state)
    with executor.pool():  # one BLAS thread: identical results on any number of CPUs
        fitter = _FoldFitter(train, feature_matrices, candidate, spec, executor, positions)
        return fitter.predict(folds)


class _FoldFitter:
    """Fits one candidate to the folds in turn; each fit is warm-started from the previous model."""

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
        self._min_groups = math.ceil(spec.features.min_groups * len(positions) / len(train))
        self._groups = train.take(positions).groups
        # the previous fold's model and the column numbers of its matrix
        self._previous: tuple[Estimator | None, Array | None] = (None, None)

    def predict(self, folds: Sequence[Fold]) -> Predictions:
        """Predict the test rows of each fold with a model fitted to the fold's training rows."""
        if find_kind(self._candidate.estimator).needs_calibration:
            decisions = self._predict_decisions(folds)
            calibration = self._spec.search.calibration
            proba = calibrate_folds(decisions, self._codes, folds, calibration)
        else:
            proba = self._predict_proba(folds)
        return Predictions(
            classes=tuple(self._classes.tolist()),
            y_true=self._codes,
            proba=proba,
            model_classes=np.arange(len(self._classes)),
        )

    def _predict_decisions(self, folds: Sequence[Fold]) -> Array:
        """Return the out-of-fold decision values of each row, shape (n_rows, n_classes)."""
        decisions = np.empty((len(self._positions), len(self._classes)))
        for train_index, test_index in self._executor.track(folds):
            model, transform = self._fit(train_index)
            X = transform(self._positions[test_index])
            decisions[test_index] = compute_decisions(model, X, self._classes)
        return decisions

    def _predict_proba(self, folds: Sequence[Fold]) -> Array:
        """Return the out-of-fold probabilities of each row, float32, shape (n_rows, n_classes)."""
        proba = np.zeros((len(self._positions), len(self._classes)), np.float32)
        for train_index, test_index in self._executor.track(folds):
            model, transform = self._fit(train_index)
            X = transform(self._positions[test_index])
            assert isinstance(model, Classifier)
            columns = np.searchsorted(self._classes, model.classes_)
            proba[np.ix_(test_index, columns)] = model.predict_proba(X)
        return proba

    def _fit(self, train_index: Array) -> tuple[Estimator, Callable[[Array], object]]:
        """Fit to the rows at `train_index`; return the model and a preprocessing function.

        The function takes positions of other rows and computes their feature matrix.  The training
        matrix is freed on return, before the test matrix is made.
        """
        search, seed = self._spec.search, self._spec.random_state
        name, codes = self._candidate.estimator, self._codes[train_index]
        kind = find_kind(name)
        feature_matrix = self._feature_matrices.fit(
            self._positions[train_index],
            self._candidate.feature_blocks,
            self._min_groups,
            is_standardized=kind.takes_standardized,
        )
        X = feature_matrix.matrix(search.engine)
        model = kind.build(dict(self._candidate.parameters), search, seed)
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
