"""Fit one classifier by its own library, or say why its values cannot be fitted."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Final

import joblib
import numpy as np
import numpy.typing as npt
from sklearn import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC

from job.contracts.messages import quote_list
from job.errors import TrainingError
from job.stages.training.estimators import translate_value_errors
from job.stages.training.prototypes import Prototypes, RowGroups, fit_prototypes

Array = npt.NDArray[Any]
_DRAWS: Final = threading.Lock()


def fit(
    model: Any,
    X: Any,
    y: Array,
    name: str,
    n_threads: int = 1,
    *,
    groups: RowGroups | None = None,
) -> None:
    """Fit in place what is not fitted yet; a value that scikit-learn refuses is the operator's.

    Parameters
    ----------
    n_threads
        So many folds of a calibration are fitted at once.
    groups
        Of the rows; prototypes cannot be fitted without them.

    Raises
    ------
    ConfigurationError
        scikit-learn refuses the values for any rows of so many classes.
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
    is_drawn = _draws(model, X)
    try:
        with (
            _DRAWS if is_drawn else contextlib.nullcontext(),
            joblib.parallel_config("threading", n_jobs=1 if is_drawn else n_threads),
        ):
            model.fit(X, y)
    except ValueError:
        _require_values(model, np.unique(y), name)
        raise


def _require_values(model: Any, classes: Array, name: str) -> None:
    """Refuse values that go together with no others, or not with so many classes, whatever X is."""
    if len(classes) > 1:
        y = np.repeat(classes, 5)
        X = np.random.default_rng(0).standard_normal((len(y), 2))
        with translate_value_errors(name):
            clone(getattr(model, "estimator", model)).fit(X, y)


def _require_classes(model: Any, y: Array) -> None:
    """Refuse folds that scikit-learn cannot calibrate on: two classes of three, or one of two."""
    if not isinstance(model, CalibratedClassifierCV):
        return
    classes = np.unique(y)
    for inner, _ in model.cv:
        found = np.unique(y[inner])
        if len(found) < min(len(classes), 3):
            missing = sorted(set(classes.tolist()) - set(found.tolist()))
            raise TrainingError(
                f"a fold of the calibration has no row of {quote_list(missing)} to learn from",
                hint="add rows of other texts or groups to the smallest classes, or search "
                "logistic_regression alone",
            )


def _draws(model: Any, X: Any) -> bool:
    """Return whether liblinear may draw rows or columns: all its fits share one generator."""
    inner = getattr(model, "estimator", model)
    given = inner.get_params()
    if not isinstance(inner, LinearSVC):
        return bool(given.get("solver") == "liblinear")
    # NOTE: "auto" takes the solver that draws where a fold has fewer rows than columns
    is_primal = given["dual"] in ("auto", False) and given["penalty"] == "l2"
    return not (is_primal and X.shape[0] >= 2 * X.shape[1])
