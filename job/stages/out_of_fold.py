"""What the chosen candidate says of training rows that it was not fitted to."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
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
from job.stages.search.fast import fit_together

_N_FOLDS: Final = 3


def predict_out_of_fold(
    train: Rows,
    preparation: Preparation,
    chosen: CandidateScore,
    spec: TrainingSpec,
    executor: Executor,
) -> Predictions:
    """Predict every training row by a model that has seen neither its group nor its family.

    Preprocessing and calibration are learnt on the other folds, too.  A class that those lack gets
    no probability there.
    """
    y = train.y.astype(str)
    classes, y_true = np.unique(y, return_inverse=True)
    proba = np.zeros((len(train), len(classes)))
    for fold in make_folds(train, min(_N_FOLDS, spec.search.folds), spec.random_state):
        model, X = _fit(train, preparation, chosen, spec, executor, fold=fold)
        columns = np.searchsorted(classes, model.classes_)
        proba[np.ix_(fold[1], columns)] = model.predict_proba(X)
    known = np.arange(len(classes))
    return Predictions(classes=tuple(classes.tolist()), y_true=y_true, proba=proba, known=known)


def _fit(
    train: Rows,
    preparation: Preparation,
    chosen: CandidateScore,
    spec: TrainingSpec,
    executor: Executor,
    *,
    fold: Fold,
) -> tuple[Any, Any]:
    """Give the model of a fold, and the matrix of the rows that it has not seen."""
    inner, outer = fold
    seed, y = spec.random_state, train.y[inner].astype(str)
    prepared = preparation.fit(inner, chosen.use)
    model = make_classifier(chosen.estimator, dict(chosen.parameters), spec.search, seed)
    if spec.search.engine == "fast":
        fit_together([model], prepared.X, y, executor)
    if isinstance(model, LinearSVC):
        folds = make_folds(train.take(inner), _N_FOLDS, seed)
        model = calibrated(model, folds, spec.search.calibration)
    fit(model, prepared.X, y, chosen.estimator)
    return model, prepared.transform(outer)
