"""Fit linear SVCs, and the SVCs of their calibration folds, on one dense matrix in one batch.

How it works
------------
1. To calibrate a model, one more SVC is fitted per fold.  All SVCs are fitted to the same matrix;
   in the SVC of a fold, the test rows of the fold have weight 0.
2. `mixed_precision` minimizes all problems together.  liblinear's stopping rule, evaluated in
   double precision, decides which models converged.
3. The SVCs of the folds give out-of-fold decision values, to which scikit-learn fits the
   calibration.  scikit-learn can calibrate only a model.  It therefore gets the decision values as
   features, and an SVC that returns them unchanged (its coefficients are the identity matrix).
   Afterwards, the SVC that was fitted to all rows replaces this SVC.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from numbers import Real
from typing import Final

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.svm import LinearSVC

from job.contracts.ports import ParallelMap
from job.contracts.row_blocks import split_rows
from job.solver.arrays import Array
from job.solver.losses import SquaredHinge
from job.solver.mixed_precision import fit_mixed_precision
from job.solver.problems import EncodedLabels, LinearProblems, StopRule, WarmStart

_CONFIGURABLE: Final = {"C", "class_weight", "dual", "max_iter", "random_state", "tol"}
_BLOCK: Final = 4096
_MAX_ITERATIONS: Final = 500  # in each precision


def linear_model(model: BaseEstimator) -> BaseEstimator:
    """Return the linear model inside a calibrated model; return any other model unchanged.

    The linear model is fitted if the calibrated model is fitted.
    """
    if not isinstance(model, CalibratedClassifierCV):
        return model
    calibrated = getattr(model, "calibrated_classifiers_", None)
    return calibrated[0].estimator if calibrated else model.estimator


def can_fit_svc(model: BaseEstimator) -> bool:
    """Return whether `model` is a supported `LinearSVC`, alone or calibrated on given folds."""
    if isinstance(model, CalibratedClassifierCV):
        return (
            model.ensemble is False and isinstance(model.cv, list) and can_fit_svc(model.estimator)
        )
    return type(model) is LinearSVC and has_supported_parameters(model, _CONFIGURABLE)


def has_supported_parameters(model: BaseEstimator, configurable: set[str]) -> bool:
    """Return whether the `configurable` parameters are valid and all others are the defaults."""
    defaults, parameters = type(model)().get_params(), model.get_params()
    numbers = [parameters[name] for name in ("C", "tol", "max_iter")]
    seed = parameters["random_state"]
    return (
        all(
            _is_same_value(parameters[name], defaults[name])
            for name in parameters
            if name not in configurable
        )
        and parameters["class_weight"] in (None, "balanced")
        and all(isinstance(n, Real) and not isinstance(n, bool) for n in numbers)
        and all(0 < n <= sys.float_info.max for n in numbers)
        and isinstance(parameters["max_iter"], int)
        and (seed is None or (type(seed) is int and seed >= 0))
        and any(
            _is_same_value(parameters.get("dual", False), value) for value in ("auto", True, False)
        )
    )


def _is_same_value(first: object, second: object) -> bool:
    return type(first) is type(second) and first == second


def fit_svcs(
    models: Sequence[BaseEstimator],
    X: Array,
    labels: EncodedLabels,
    parallel_map: ParallelMap,
    start: WarmStart | None,
) -> tuple[list[bool], Array]:
    """Fit the models that converge; return which ones do, and each model's number of iterations.

    Parameters
    ----------
    models
        Models that differ in C and seed only, all calibrated with the same folds or all not
        calibrated.  If a class has no training rows in a fold, its decision values in the fold come
        from an SVC that has seen no row of the class.
    start
        One starting point for each model; None to start from 0.
    """
    first = linear_model(models[0])
    folds = models[0].cv if isinstance(models[0], CalibratedClassifierCV) else []
    n_subsets = 1 + len(folds)
    fits = fit_mixed_precision(
        X,
        _make_problems(models, labels.codes, folds),
        StopRule(tolerance=first.tol, max_iter=min(first.max_iter, _MAX_ITERATIONS)),
        parallel_map,
        start=None if start is None else start.repeat(n_subsets),
        verify_in_double=True,
    )
    W, b, n_iter = fits.coefficients, fits.intercepts, fits.n_iter
    is_converged = (fits.errors <= first.tol).reshape(len(models), n_subsets).all(axis=1)
    for n in np.flatnonzero(is_converged).tolist():
        own = slice(n * n_subsets, (n + 1) * n_subsets)
        fitted = clone(linear_model(models[n])) if folds else models[n]
        _set_fitted(fitted, labels.classes, W[own][0], b[own][0], int(n_iter[own].max()))
        if folds:
            decisions = _out_of_fold_decisions(X, folds, W[own][1:], b[own][1:])
            _calibrate(models[n], fitted, decisions, labels.codes)
    return is_converged.tolist(), n_iter


def _make_problems(
    models: Sequence[BaseEstimator], codes: Array, folds: Sequence[tuple[Array, Array]]
) -> LinearProblems:
    """Return several problems per model: one on all rows, one on each fold's training rows."""
    subsets = [np.arange(len(codes)), *(train_index for train_index, _ in folds)]
    class_weight = linear_model(models[0]).class_weight
    weights, own_class_weight = _make_weightings(codes, subsets, class_weight)
    return LinearProblems(
        codes=codes,
        weights=weights,
        C=np.repeat([float(linear_model(model).C) for model in models], len(subsets)),
        weighting_index=np.tile(np.arange(len(subsets)), len(models)),
        loss=SquaredHinge(),
        own_class_weight=own_class_weight,
    )


def _make_weightings(
    codes: Array, subsets: Sequence[Array], class_weight: str | None
) -> tuple[Array, Array | None]:
    """Return the weight of each sample in each subset of rows, shape (n_subsets, n_samples).

    Rows outside a subset have weight 0.  For two classes, the weights include the class weights, as
    in liblinear.  For more classes, the class weights are the second result, which becomes
    `LinearProblems.own_class_weight`; otherwise, the second result is None.
    """
    n_classes = int(codes.max()) + 1
    weights = np.zeros((len(subsets), len(codes)), np.float32)
    for n, rows in enumerate(subsets):
        weights[n, rows] = 1
    if class_weight is None:
        return weights, None
    counts = np.stack([np.bincount(codes[rows], minlength=n_classes) for rows in subsets])
    n_present = (counts > 0).sum(axis=1, keepdims=True)
    balanced = counts.sum(axis=1, keepdims=True) / (n_present * np.maximum(counts, 1))
    if n_classes > 2:
        return weights, balanced
    return weights * balanced[:, codes], None


def _set_fitted(model: LinearSVC, classes: Array, W: Array, b: Array, n_iter: int) -> None:
    model.classes_, model.n_features_in_ = classes, W.shape[1]
    model.coef_, model.intercept_ = W.astype(np.float64), b.astype(np.float64)
    model.n_iter_ = n_iter


def _out_of_fold_decisions(
    X: Array, folds: Sequence[tuple[Array, Array]], W: Array, b: Array
) -> Array:
    """Return each row's decision values, from the SVC of the fold that tests the row.

    W and b are the coefficients (n_folds, n_logits, n_columns) and intercepts (n_folds, n_logits)
    of the folds' SVCs.  The result has shape (n_samples, n_logits).
    Rows that are in no test fold get NaN, which scikit-learn rejects.
    """
    decisions = np.full((len(X), W.shape[1]), np.nan)
    for (_, test_index), coef, intercept in zip(folds, W, b, strict=True):
        for block in split_rows(slice(0, len(test_index)), _BLOCK):
            rows = test_index[block]
            decisions[rows] = X[rows] @ coef.T + intercept
    return decisions


def fit_calibration(decisions: Array, codes: Array, method: str) -> CalibratedClassifierCV:
    """Fit scikit-learn's calibration to decision values, which are passed to it as features.

    Given the original features instead, scikit-learn would fit every fold again.

    Parameters
    ----------
    decisions
        Decision values, shape (n_samples, n_classes); for two classes, only those of the second
        class, shape (n_samples, 1).
    codes
        The class of each row, 0...K-1 without gaps, shape (n_samples,).

    Returns
    -------
    model
        Calibrated model whose `predict_proba` maps decision values to the classes' probabilities.
    """
    n_logits = decisions.shape[1]
    identity = LinearSVC()
    _set_fitted(identity, np.unique(codes), np.eye(n_logits), np.zeros(n_logits), 0)
    rows = np.arange(len(codes))
    model = CalibratedClassifierCV(
        FrozenEstimator(identity), method=method, cv=[(rows, rows)], ensemble=False
    )
    return model.fit(decisions, codes)


def _calibrate(
    model: CalibratedClassifierCV, fitted: LinearSVC, decisions: Array, codes: Array
) -> None:
    """Calibrate the SVC `fitted` by out-of-fold decision values; store the result in `model`."""
    (calibrated,) = fit_calibration(decisions, codes, model.method).calibrated_classifiers_
    calibrated.estimator, calibrated.classes = fitted, fitted.classes_
    model.calibrated_classifiers_ = [calibrated]
    model.classes_, model.n_features_in_ = fitted.classes_, fitted.n_features_in_
