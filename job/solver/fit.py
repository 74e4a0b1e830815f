"""Fit many linear models to one matrix, in batches: the entry point of the fast engine.

How it works
------------
1. Models that differ only in C (and the seed) form a batch.  Models that the solver does not
   support are left untouched, and the caller fits them with scikit-learn.
2. Logistic regressions are fitted by `mixed_precision` (dense matrices) or `newton_cg` (sparse
   ones).  Linear SVCs are fitted by `linear_svc`, on dense matrices only.
3. With `PreviousModels`, fits start from the previous models' coefficients of the columns that are
   in both the previous matrix and the new one.
4. Fitted attributes are set on scikit-learn's own objects.  A model that did not converge gets no
   attributes, so scikit-learn fits it, and a debug event is logged.
5. `polish_with_sklearn` continues the published model's fit until scikit-learn's own rule ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import structlog
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from job.contracts.ports import Executor, ParallelMap
from job.solver.arrays import Array, Matrix
from job.solver.linear_svc import (
    can_fit_svc,
    fit_svcs,
    has_supported_parameters,
    linear_model,
)
from job.solver.losses import Logistic
from job.solver.mixed_precision import fit_mixed_precision
from job.solver.newton_cg import fit_regularization_path
from job.solver.previous_models import PreviousModels
from job.solver.problems import EncodedLabels, LinearProblems, StopRule, WarmStart
from job.solver.row_spans import LinearFits, is_single_span
from job.solver.sparse_design import SparseDesign

log = structlog.get_logger(__name__)
_MAX_WARM_START_TOLERANCE: Final = 1e-5
# With many test rows, rounding differences between models change too few predictions to matter.
_MIN_EARLY_STOP_ROWS: Final = 2000
_TOLERATED_SUBOPTIMALITY: Final = 5e-7
_CONFIGURABLE: Final = {"C", "class_weight", "max_iter", "random_state", "tol"}


def fit_linear_models(
    models: Sequence[BaseEstimator],
    X: Matrix,
    y: Array,
    executor: Executor,
    *,
    classes: Array | None = None,
    suboptimality: float = 0.0,
    before: PreviousModels | None = None,
) -> None:
    """Fit the models that the fast engine supports, in place; leave the others unfitted.

    Models that do not reach their tolerance are left unfitted as well; a debug event names them.

    Parameters
    ----------
    y
        The label of each row, shape (n_samples,).
    classes
        All classes.  If given, y holds positions in this array instead of labels, and classes
        without rows are left out of the models.
    suboptimality
        A fit also ends once the objective (a mean over rows) is estimated to exceed its minimum by
        less than this.  Only for logistic regressions; 0 turns the rule off.
    before
        Models that were fitted to other rows.  The new fits start from these models' coefficients.
    """
    present, codes = np.unique(y, return_inverse=True)
    classes = present if classes is None else classes[present]
    batches = _group_into_batches(models, X)
    if not batches or len(classes) < 2:
        return
    labels = EncodedLabels(classes=classes, codes=codes)
    with executor.pool() as parallel_map:

        def fit(positions: list[int]) -> None:
            batch, start = [models[n] for n in positions], None
            # NOTE: with a loose tolerance, a model that was fitted to rows which are test rows now
            # could already be accepted where it starts, and leak their labels
            if before is not None and linear_model(batch[0]).tol <= _MAX_WARM_START_TOLERANCE:
                start = before.warm_start(positions, classes, X.shape[1])
            _fit_batch(batch, X, labels, suboptimality, parallel_map, start)

        if is_single_span(len(codes)):
            executor.map(fit, batches)  # each batch has work for one thread only
        else:
            for positions in executor.track(batches):
                fit(positions)


def _fit_batch(
    batch: list[BaseEstimator],
    X: Matrix,
    labels: EncodedLabels,
    suboptimality: float,
    parallel_map: ParallelMap,
    start: WarmStart | None,
) -> None:
    """Fit models that differ only in C and the seed, and set their fitted attributes."""
    if isinstance(linear_model(batch[0]), LogisticRegression):
        problems, stop = _logistic_problems(batch, labels.codes, suboptimality)
        fits = fit_logistic(X, problems, stop, parallel_map, start)
        fitted = _set_fitted(batch, fits, labels.classes, X)
    else:
        fitted = fit_svcs(batch, X, labels, parallel_map, start)
    _log_fits(batch, *fitted)


def _group_into_batches(models: Sequence[BaseEstimator], X: Matrix) -> list[list[int]]:
    """Group models that can be fitted together; return each group's positions in `models`."""
    batches: dict[str, list[int]] = {}
    for n, model in enumerate(models):
        if can_fit(model, X):
            batches.setdefault(_batch_key(model), []).append(n)
    return list(batches.values())


def tolerated_suboptimality(n_test_rows: int) -> float:
    """Return by how much a fit may miss the minimum of its objective.

    The excess is too small to affect scores on `n_test_rows` rows; it is 0 for few rows.
    """
    return _TOLERATED_SUBOPTIMALITY if n_test_rows >= _MIN_EARLY_STOP_ROWS else 0.0


def fit_logistic(
    X: Matrix,
    problems: LinearProblems,
    stop: StopRule,
    parallel_map: ParallelMap,
    start: WarmStart | None = None,
) -> LinearFits:
    """Fit logistic regressions with the same sample weights to a dense or a sparse matrix."""
    if isinstance(X, np.ndarray):
        return fit_mixed_precision(X, problems, stop, parallel_map, start=start)
    design = SparseDesign(X.tocsr(), problems.weights[0], parallel_map)
    return fit_regularization_path(design, problems, stop, start)


def polish_with_sklearn(model: BaseEstimator, X: Matrix, y: Array) -> None:
    """Continue a logistic regression's fit in place, until scikit-learn's own rule ends it.

    `LinearSVC` models are left unchanged: scikit-learn cannot continue their fit, and `fit_svcs`
    has already applied liblinear's stopping rule.
    """
    if type(model) is LogisticRegression and can_fit(model, X) and hasattr(model, "coef_"):
        classes = model.classes_
        model.set_params(warm_start=True)
        # NOTE: scikit-learn copies the labels several times, and strings are large
        model.fit(X, np.searchsorted(classes, y))
        model.set_params(warm_start=False)
        model.classes_ = classes


def can_fit(model: BaseEstimator, X: Matrix) -> bool:
    """Return whether the fast engine supports this model on this matrix.

    Supported are plain L2 logistic regressions and, on dense matrices, plain linear SVCs, with
    parameter values that scikit-learn accepts.  On sparse matrices `LinearSVC` itself is fast.
    """
    if type(model) is LogisticRegression:
        return has_supported_parameters(model, _CONFIGURABLE)
    return not sparse.issparse(X) and can_fit_svc(model)


def _batch_key(model: BaseEstimator) -> str:
    """Return a key of the model's parameters; models with equal keys can share a batch."""
    linear = linear_model(model)
    fixed = {k: v for k, v in linear.get_params().items() if k not in ("C", "random_state")}
    return repr([type(model).__name__, id(getattr(model, "cv", None)), sorted(fixed.items())])


def _logistic_problems(
    models: Sequence[LogisticRegression], codes: Array, suboptimality: float
) -> tuple[LinearProblems, StopRule]:
    """Return the problems of a batch of models, and their stopping rule."""
    first = models[0]
    weights = np.ones(len(codes))
    if first.class_weight is not None:
        weights = compute_sample_weight(first.class_weight, codes)
    return (
        LinearProblems.of(codes, weights, [model.C for model in models], Logistic()),
        StopRule(tolerance=first.tol, max_iter=first.max_iter, suboptimality=suboptimality),
    )


def _set_fitted(
    models: Sequence[LogisticRegression], fits: LinearFits, classes: Array, X: Matrix
) -> tuple[list[bool], Array]:
    """Set fitted attributes of the models that converged.

    Return whether each model converged, and its number of iterations.
    """
    # NOTE: a batch may come in float64, with which every prediction would copy its matrix
    W = fits.coefficients.astype(X.dtype, copy=False)
    is_converged = fits.errors <= models[0].tol
    for n in np.flatnonzero(is_converged).tolist():
        model = models[n]
        model.classes_, model.n_features_in_ = classes, X.shape[1]
        model.coef_, model.intercept_ = W[n], fits.intercepts[n]
        model.n_iter_ = fits.n_iter[n : n + 1].astype(np.int32)
    return is_converged.tolist(), fits.n_iter


def _log_fits(models: Sequence[BaseEstimator], is_converged: Sequence[bool], n_iter: Array) -> None:
    log.debug("models_fitted_together", n_models=len(models), n_iter=n_iter.tolist())
    missed = [linear_model(m).C for m, done in zip(models, is_converged, strict=True) if not done]
    if missed:
        name = type(linear_model(models[0])).__name__
        log.debug("fast_engine_fell_back", estimator=name, C=missed)
