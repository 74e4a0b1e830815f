"""What one candidate says of training rows that it was not fitted to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from scipy import sparse
from sklearn.svm import LinearSVC

from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.reports.search import CandidateScore
from job.contracts.settings.job_settings import TrainingSpec
from job.solver.fit import WarmStart, fit_linear_models, tolerated_suboptimality
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.predictions import Predictions
from job.stages.split.folds import Fold, make_folds
from job.stages.training.estimators import make_classifier
from job.stages.training.fold_calibration import calibrate_folds, decide
from job.stages.training.prototypes import RowGroups
from job.stages.training.sklearn_fit import fit

Array = np.ndarray[Any, Any]
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
    """Predict each row by a model that has seen neither it nor its group.

    The preprocessing is learnt on the other folds, too, and so is the calibration of a linear SVC:
    each fold's from the out-of-fold decision values of the rows that its model was fitted to.
    The published model's calibration rests on decision values of the same kind.

    Parameters
    ----------
    feature_matrices
        Of all the rows.
    positions
        The rows that are looked at; None for all of them.
    folds
        Positions, within those, of the rows to fit to and to predict, each row to be predicted
        once; None: cut here.

    Returns
    -------
    predictions
        In the order of the positions; a class that a fold had no row of has probability 0 there.
    """
    if positions is None:
        positions = np.arange(len(train))
    some = train.take(positions)
    if folds is None:
        folds = make_folds(some, min(MAX_FOLDS, spec.search.folds), spec.random_state)
    classes, codes = np.unique(some.y.astype(str), return_inverse=True)
    fitter = _FoldFitter(train, feature_matrices, candidate, spec, executor, positions)
    proba, decisions = np.zeros((len(positions), len(classes)), np.float32), None
    with executor.pool():  # one BLAS thread: the same bits on any number of CPUs
        for train_index, test_index in folds:
            model, transform = fitter.fit(train_index)
            X = transform(positions[test_index])
            if isinstance(model, LinearSVC):
                decisions = np.empty(proba.shape) if decisions is None else decisions
                decisions[test_index] = decide(model, X, classes)
            else:
                known = np.searchsorted(classes, model.classes_)
                proba[np.ix_(test_index, known)] = model.predict_proba(X)
        if decisions is not None:
            proba = calibrate_folds(decisions, codes, folds, spec.search.calibration)
    return Predictions(
        classes=tuple(classes.tolist()),
        y_true=codes,
        proba=proba,
        known=np.arange(len(classes)),
    )


class _FoldFitter:
    """Fits one candidate to folds in turn; each starts from the model of the one before."""

    def __init__(
        self,
        train: Rows,
        feature_matrices: FeatureMatrices,
        candidate: CandidateScore,
        spec: TrainingSpec,
        executor: Executor,
        positions: Array,
    ) -> None:
        self._preparation, self._candidate = feature_matrices, candidate
        self._spec, self._executor, self._positions = spec, executor, positions
        self._classes, self._codes = np.unique(train.y[positions].astype(str), return_inverse=True)
        self._min_groups = math.ceil(spec.features.min_groups * len(positions) / len(train))
        self._groups = train.take(positions).groups
        self._before: tuple[Any, Array | None] = (None, None)  # a model, and what its columns are

    def fit(self, train_index: Array) -> tuple[Any, Callable[[Array], Any]]:
        """Return the model, uncalibrated, and what makes matrices of other rows.

        The matrix that was fitted to is gone before that of the other side comes.
        """
        search, seed = self._spec.search, self._spec.random_state
        name, codes = self._candidate.estimator, self._codes[train_index]
        feature_matrix = self._preparation.fit(
            self._positions[train_index], self._candidate.feature_blocks, self._min_groups
        )
        X = feature_matrix.matrix(search.engine)
        model = make_classifier(name, dict(self._candidate.parameters), search, seed)
        if search.engine == "fast":
            is_dense = not sparse.issparse(X)  # a sparse one comes along the path of C
            near, then = self._before
            fit_linear_models(
                [model],
                X,
                codes,
                self._executor,
                classes=self._classes,
                suboptimality=tolerated_suboptimality(len(self._positions) - len(train_index)),
                before=WarmStart.of([near], then, feature_matrix.columns) if is_dense else None,
            )
            self._before = model, feature_matrix.columns
        groups = RowGroups(group=self._groups[train_index], min_groups=self._min_groups)
        y = self._classes[codes]
        fit(model, X, y, name, self._executor.n_workers, groups=groups)
        return model, feature_matrix.transform
