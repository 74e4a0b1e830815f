"""Fit one classifier with scikit-learn, and convert scikit-learn's errors to those of the job."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import joblib
import numpy as np
from sklearn import clone
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC

from job.contracts.arrays import Array
from job.errors import TrainingError
from job.solver.arrays import Matrix
from job.stages.split.class_names import quote_classes
from job.stages.training.estimators import find_kind, translate_value_errors
from job.stages.training.prototypes import RowGroups

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
        Name of the estimator, as in `search.estimators`.
    n_threads
        Number of calibration folds that are fitted at once.
    groups
        Groups of the rows; required if the estimator's kind has `list_fits`, as prototypes do.

    Raises
    ------
    ConfigurationError
        scikit-learn rejects the parameter values, whatever the rows are.
    TrainingError
        The training rows of a calibration fold lack a class that calibration needs.
    """
    if hasattr(model, "classes_"):
        return
    if (list_joint_fits := find_kind(name).list_fits) is not None:
        assert groups is not None
        for task in list_joint_fits([model], X, y, groups):
            task()
        return
    _require_classes(model, y)
    try:
        _fit_in_threads(model, X, y, n_threads)
    except ValueError:
        _require_values(model, np.unique(y), name)
        raise


def list_fits(
    models: Sequence[tuple[str, BaseEstimator]], X: Matrix, y: Array, groups: RowGroups
) -> list[Callable[[], None]]:
    """Return tasks that fit models in place; models of the same estimator may share a task.

    Parameters
    ----------
    models
        A pair for each model: the name of its estimator, and the model.
    """
    by_kind: dict[str, list[BaseEstimator]] = {}
    for name, model in models:
        by_kind.setdefault(name, []).append(model)
    tasks: list[Callable[[], None]] = []
    for name, same_kind in by_kind.items():
        list_joint_fits = find_kind(name).list_fits
        tasks += (
            [partial(fit, model, X, y, name, groups=groups) for model in same_kind]
            if list_joint_fits is None
            else list_joint_fits(same_kind, X, y, groups)
        )
    return tasks


def _fit_in_threads(model: BaseEstimator, X: Matrix, y: Array, n_threads: int) -> None:
    """Fit a model, and the models of its calibration folds in threads.

    The folds are fitted one after another if they would share liblinear's random generator.
    """
    is_random = _uses_random_generator(model, X)
    with (
        _RANDOM_LOCK if is_random else contextlib.nullcontext(),
        joblib.parallel_config("threading", n_jobs=1 if is_random else n_threads),
    ):
        model.fit(X, y)


def _require_values(model: BaseEstimator, classes: Array, name: str) -> None:
    """Raise a `ConfigurationError` if scikit-learn rejects the model's parameter values.

    The model is fitted to random rows with these classes.  If this also fails, the cause is the
    parameter values and not the training rows.
    """
    if len(classes) > 1:
        y = np.repeat(classes, 5)
        X = np.random.default_rng(0).standard_normal((len(y), 2))
        with translate_value_errors(name):
            clone(getattr(model, "estimator", model)).fit(X, y)


def _require_classes(model: BaseEstimator, y: Array) -> None:
    """Raise if the training rows of a calibration fold have too few classes.

    Three classes are required; if the table has only two classes, both are required.
    """
    if not isinstance(model, CalibratedClassifierCV):
        return
    classes = np.unique(y)
    for train_index, _ in model.cv:
        train_classes = np.unique(y[train_index])
        if len(train_classes) < min(len(classes), 3):
            missing = sorted(set(classes.tolist()) - set(train_classes.tolist()))
            raise TrainingError(
                "a fold of the calibration has no training rows of "
                f"{quote_classes(missing, classes, ())}",
                hint="add rows to the smallest classes, with texts and groups that differ from "
                "those already there, or use --set 'search.estimators={logistic_regression: {}}', "
                "which needs no calibration",
            )


def _uses_random_generator(model: BaseEstimator, X: Matrix) -> bool:
    """Return whether a fit may use liblinear's random generator, which all threads share."""
    estimator = getattr(model, "estimator", model)
    params = estimator.get_params()
    if not isinstance(estimator, LinearSVC):
        return bool(params.get("solver") == "liblinear")
    # NOTE: "auto" selects the randomized solver if a fold has fewer rows than columns
    is_primal = params["dual"] in ("auto", False) and params["penalty"] == "l2"
    return not (is_primal and X.shape[0] >= 2 * X.shape[1])
