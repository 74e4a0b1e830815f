"""Fit one classifier with scikit-learn, and translate its errors into those of the job."""

from __future__ import annotations

import contextlib
import threading
from typing import Final

import joblib
import numpy as np
from sklearn import clone
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC

from job.contracts.arrays import Array
from job.contracts.messages import quote_list
from job.errors import TrainingError
from job.solver.arrays import Matrix
from job.stages.training.estimators import translate_value_errors
from job.stages.training.prototypes import Prototypes, RowGroups, fit_prototypes

_RANDOM_LOCK: Final = threading.Lock()  # liblinear has one random generator per process


def fit(
    model: BaseEstimator,
    X: Matrix,
    y: Array,
    name: str,
    n_threads: int = 1,
    *,
    groups: RowGroups | None = None,
) -> None:
    """Fit a model in place unless it is fitted already.

    Parameters
    ----------
    name
        The estimator's name, for error messages.
    n_threads
        Number of calibration folds that are fitted at once.
    groups
        Groups of the rows; required for prototypes.

    Raises
    ------
    ConfigurationError
        scikit-learn rejects the parameter values whatever the rows are.
    TrainingError
        A fold of the calibration lacks a class.
    """
    if hasattr(model, "classes_"):
        return
    if isinstance(model, Prototypes):
        assert groups is not None
        fit_prototypes([model], X, y, groups)
        return
    _require_classes(model, y)
    try:
        _fit_in_threads(model, X, y, n_threads)
    except ValueError:
        _require_values(model, np.unique(y), name)
        raise


def _fit_in_threads(model: BaseEstimator, X: Matrix, y: Array, n_threads: int) -> None:
    """Fit a model; fits that draw from the shared random generator run one after the other."""
    is_random = _uses_random_generator(model, X)
    with (
        _RANDOM_LOCK if is_random else contextlib.nullcontext(),
        joblib.parallel_config("threading", n_jobs=1 if is_random else n_threads),
    ):
        model.fit(X, y)


def _require_values(model: BaseEstimator, classes: Array, name: str) -> None:
    """Raise if the parameter values cannot be fitted to any rows of these classes."""
    if len(classes) > 1:
        y = np.repeat(classes, 5)
        X = np.random.default_rng(0).standard_normal((len(y), 2))
        with translate_value_errors(name):
            clone(getattr(model, "estimator", model)).fit(X, y)


def _require_classes(model: BaseEstimator, y: Array) -> None:
    """Raise if a fold has too few classes to calibrate: one of two, or fewer than three of more."""
    if not isinstance(model, CalibratedClassifierCV):
        return
    classes = np.unique(y)
    for train_index, _ in model.cv:
        train_classes = np.unique(y[train_index])
        if len(train_classes) < min(len(classes), 3):
            missing = sorted(set(classes.tolist()) - set(train_classes.tolist()))
            raise TrainingError(
                f"a fold of the calibration has no training rows of class {quote_list(missing)}",
                hint="add rows with other texts or groups to the smallest classes, or --set "
                "'search.estimators={logistic_regression: {}}'",
            )


def _uses_random_generator(model: BaseEstimator, X: Matrix) -> bool:
    """Return whether liblinear may draw rows or columns: all its fits share one generator."""
    estimator = getattr(model, "estimator", model)
    params = estimator.get_params()
    if not isinstance(estimator, LinearSVC):
        return bool(params.get("solver") == "liblinear")
    # NOTE: "auto" selects the randomized solver if a fold has fewer rows than columns
    is_primal = params["dual"] in ("auto", False) and params["penalty"] == "l2"
    return not (is_primal and X.shape[0] >= 2 * X.shape[1])
