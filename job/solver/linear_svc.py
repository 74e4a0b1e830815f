"""Linear support vector classifiers of one dense matrix, and their calibration, all at once.

Those of a calibration's folds are problems of the same matrix, in which the rows that a fold
judges weigh nothing: one batch gives every model and its decision values out of fold, to which
scikit-learn fits the curves.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from numbers import Real
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.svm import LinearSVC

from job.contracts.ports import ParallelMap
from job.contracts.row_blocks import cut
from job.solver.losses import SquaredHinge
from job.solver.mixed_precision import fit_mixed_precision

Array = npt.NDArray[Any]
_OWN: Final = {"C", "class_weight", "dual", "max_iter", "random_state", "tol"}
_BLOCK: Final = 4096
_MAX_ITERATIONS: Final = 500  # in each precision


def linear_of(model: Any) -> Any:
    """Return the linear model within a calibration; the fitted one where there is one."""
    if not isinstance(model, CalibratedClassifierCV):
        return model
    fitted = getattr(model, "calibrated_classifiers_", None)
    return fitted[0].estimator if fitted else model.estimator


def can_fit_svc(model: Any) -> bool:
    """Return whether it is a plain linear SVC, alone or calibrated on given folds."""
    if isinstance(model, CalibratedClassifierCV):
        return (
            model.ensemble is False and isinstance(model.cv, list) and can_fit_svc(model.estimator)
        )
    return type(model) is LinearSVC and has_plain_values(model, _OWN)


def has_plain_values(model: Any, own: set[str]) -> bool:
    """Return whether all parameters but these have their defaults, and these are of their kind."""
    defaults, given = type(model)().get_params(), model.get_params()
    numbers = [given[name] for name in ("C", "tol", "max_iter")]
    seed = given["random_state"]
    return (
        all(_same(given[name], defaults[name]) for name in given if name not in own)
        and given["class_weight"] in (None, "balanced")
        and all(isinstance(n, Real) and not isinstance(n, bool) for n in numbers)
        and all(0 < n <= sys.float_info.max for n in numbers)
        and isinstance(given["max_iter"], int)
        and (seed is None or (type(seed) is int and seed >= 0))
        and any(_same(given.get("dual", False), some) for some in ("auto", True, False))
    )


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def fit_svcs(
    models: Sequence[Any],
    X: Array,
    parallel_map: ParallelMap,
    classes: Array,
    codes: Array,
    start: tuple[Array, Array] | None,
) -> tuple[list[bool], Array]:
    """Fit those that come to their tolerance; say which they are, and give the iterations.

    What single precision finds is judged in double, and brought to its end there if need be.

    Parameters
    ----------
    models
        Alike but for C, and calibrated on the same folds or not at all.  Where a fold has no row of
        a class to learn from, the class's rows count as far from it.
    codes
        Positions of the labels in `classes`.
    start
        Coefficients (P, K, D) and intercepts (P, K) near the minimum, if they are known.
    """
    first = linear_of(models[0])
    folds = models[0].cv if isinstance(models[0], CalibratedClassifierCV) else []
    parts = [np.arange(len(codes)), *(inner for inner, _ in folds)]
    weights, gains = _weigh(codes, parts, first.class_weight)
    n_each = len(parts)
    C = np.repeat([float(linear_of(model).C) for model in models], n_each)
    of = np.tile(np.arange(n_each), len(models))
    if start is not None:
        start = (np.repeat(start[0], n_each, axis=0), np.repeat(start[1], n_each, axis=0))
    fits = fit_mixed_precision(
        X,
        codes,
        weights,
        C,
        SquaredHinge(),
        parallel_map,
        tolerance=first.tol,
        max_iter=min(first.max_iter, _MAX_ITERATIONS),
        of=of,
        gains=gains,
        start=start,
        is_judged=True,
    )
    W, b, n_iter = fits.coefficients, fits.intercepts, fits.n_iter
    is_reached = (fits.errors <= first.tol).reshape(len(models), n_each).all(axis=1)
    for n in np.flatnonzero(is_reached).tolist():
        each = slice(n * n_each, (n + 1) * n_each)
        fitted = clone(linear_of(models[n])) if folds else models[n]
        _set(fitted, classes, W[each][0], b[each][0], int(n_iter[each].max()))
        if folds:
            decisions = _decide(X, folds, W[each][1:], b[each][1:])
            _calibrate(models[n], fitted, decisions, codes)
    return is_reached.tolist(), n_iter


def _weigh(
    codes: Array, parts: Sequence[Array], class_weight: str | None
) -> tuple[Array, Array | None]:
    """Return the weight of each row in each part of the rows, and the gain of each class there."""
    n_classes = int(codes.max()) + 1
    weights = np.zeros((len(parts), len(codes)), np.float32)
    for n, rows in enumerate(parts):
        weights[n, rows] = 1
    if class_weight is None:
        return weights, None
    counts = np.stack([np.bincount(codes[rows], minlength=n_classes) for rows in parts])
    n_present = (counts > 0).sum(axis=1, keepdims=True)
    gains = counts.sum(axis=1, keepdims=True) / (n_present * np.maximum(counts, 1))
    if n_classes > 2:
        return weights, gains
    return weights * gains[:, codes], None


def _set(model: LinearSVC, classes: Array, W: Array, b: Array, n_iter: int) -> None:
    model.classes_, model.n_features_in_ = classes, W.shape[1]
    model.coef_, model.intercept_ = W.astype(np.float64), b.astype(np.float64)
    model.n_iter_ = n_iter


def _decide(X: Array, folds: Sequence[tuple[Array, Array]], W: Array, b: Array) -> Array:
    """Return decision values (n, K) of each row by the model of the fold that judges it."""
    found = np.full((len(X), W.shape[1]), np.nan)  # which scikit-learn would refuse
    for (_, outer), some, one in zip(folds, W, b, strict=True):
        for block in cut(slice(0, len(outer)), _BLOCK):
            rows = outer[block]
            found[rows] = X[rows] @ some.T + one
    return found


def fit_calibration(decisions: Array, codes: Array, method: str) -> CalibratedClassifierCV:
    """Let scikit-learn calibrate decision values, which it gets as if they were features.

    Its own way to them would be to fit each fold anew.

    Parameters
    ----------
    decisions
        Shape (n_samples, n_classes); of two classes (n_samples, 1), of the second one.
    codes
        The class of each row, from 0 without a gap, shape (n_samples,).

    Returns
    -------
    model
        Takes decision values, and gives probabilities of the classes in their order.
    """
    n_logits = decisions.shape[1]
    passing = LinearSVC()
    _set(passing, np.unique(codes), np.eye(n_logits), np.zeros(n_logits), 0)
    rows = np.arange(len(codes))
    model = CalibratedClassifierCV(
        FrozenEstimator(passing), method=method, cv=[(rows, rows)], ensemble=False
    )
    return model.fit(decisions, codes)


def _calibrate(
    model: CalibratedClassifierCV, fitted: LinearSVC, decisions: Array, codes: Array
) -> None:
    """Calibrate a model on decision values of the rows it was fitted to, out of fold."""
    (pair,) = fit_calibration(decisions, codes, model.method).calibrated_classifiers_
    pair.estimator, pair.classes = fitted, fitted.classes_
    model.calibrated_classifiers_ = [pair]
    model.classes_, model.n_features_in_ = fitted.classes_, fitted.n_features_in_
