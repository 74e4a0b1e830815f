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
from job.contracts.reports import CandidateScore
from job.contracts.specs import TrainingSpec
from job.stages.estimators import calibrated, make_classifier
from job.stages.folds import Fold
from job.stages.predictions import Predictions
from job.stages.preparation import Preparation
from job.stages.search import fit, make_folds
from job.stages.search.fast import Before, excess_for, fit_together

Array = np.ndarray[Any, Any]
MOST_FOLDS: Final = 3


def predict_out_of_fold(
    train: Rows,
    preparation: Preparation,
    candidate: CandidateScore,
    *,
    spec: TrainingSpec,
    executor: Executor,
    positions: Array | None = None,
    folds: Sequence[Fold] | None = None,
) -> Predictions:
    """Predict each row by a model that has seen neither it nor its group or family.

    Preprocessing and calibration are learnt on the other folds, too.

    Parameters
    ----------
    preparation
        Of all the rows.
    positions
        The rows that are looked at; None for all of them.
    folds
        Positions, within those, of the rows to fit to and to predict; None: cut here.

    Returns
    -------
    predictions
        In the order of the positions; a class that a fold had no row of has probability 0 there,
        and in rows that no fold predicts every class has.
    """
    if positions is None:
        positions = np.arange(len(train))
    some = train.take(positions)
    if folds is None:
        folds = make_folds(some, min(MOST_FOLDS, spec.search.folds), spec.random_state)
    classes, codes = np.unique(some.y.astype(str), return_inverse=True)
    proba = np.zeros((len(positions), len(classes)), np.float32)
    min_groups = math.ceil(spec.features.min_groups * len(positions) / len(train))

    near: tuple[Any, Array | None] = (None, None)  # the model of the fold before, and its columns

    def fit_to(inner: Array) -> tuple[Any, Callable[[Array], Any]]:
        # NOTE: the matrix that was fitted to is gone before that of the other side comes
        nonlocal near
        prepared = preparation.fit(positions[inner], candidate.use, min_groups)
        X = prepared.matrix(spec.search.engine)
        name, y, seed = candidate.estimator, classes[codes[inner]], spec.random_state
        model = make_classifier(name, dict(candidate.parameters), spec.search, seed)
        if isinstance(model, LinearSVC):
            folds = make_folds(some.take(inner), MOST_FOLDS, seed)
            model = calibrated(model, folds, spec.search.calibration)
        if spec.search.engine == "fast":
            is_dense = not sparse.issparse(X)  # a sparse one comes along the path of C
            before = Before.of([near[0]], near[1], prepared.columns) if is_dense else None
            fit_together(
                [model],
                X,
                codes[inner],
                executor,
                classes=classes,
                excess=excess_for(len(positions) - len(inner)),
                before=before,
            )
            near = model, prepared.columns
        fit(model, X, y, name, executor.n_workers)
        return model, prepared.transform

    with executor.pool():  # one BLAS thread: the same bits on any number of CPUs
        for inner, outer in folds:
            model, transform = fit_to(inner)
            known = np.searchsorted(classes, model.classes_)
            proba[np.ix_(outer, known)] = model.predict_proba(transform(positions[outer]))
    return Predictions(
        classes=tuple(classes.tolist()),
        y_true=codes,
        proba=proba,
        known=np.arange(len(classes)),
    )
