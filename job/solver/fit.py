"""Entry point of the fast engine: fit many linear models to one matrix in batches.

How it works
------------
1. Models that differ in nothing but C (and the seed) form a batch; models that the solver does not
   support are left untouched, and the caller fits them with scikit-learn.
2. Logistic regressions are fitted by `mixed_precision` (dense matrices) or `newton_cg` (sparse
   ones), linear SVCs of dense matrices by `linear_svc`.
3. With a `WarmStart`, the coefficients of columns that both matrices share are the starting point.
4. Fitted attributes are set on scikit-learn's own objects.  A model that did not converge gets
   none, so scikit-learn fits it, and a debug event is logged.
5. `polish_with_sklearn` lets scikit-learn finish the published model by its own stopping rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import structlog
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from job.contracts.ports import Executor, ParallelMap
from job.solver.linear_svc import (
    can_fit_svc,
    fit_svcs,
    has_supported_parameters,
    linear_model,
)
from job.solver.losses import Logistic
from job.solver.mixed_precision import fit_mixed_precision
from job.solver.newton_cg import fit_regularization_path
from job.solver.row_spans import LinearFits, is_single_span
from job.solver.sparse_design import SparseDesign

log = structlog.get_logger(__name__)
Array = npt.NDArray[Any]
_MAX_WARM_START_TOLERANCE: Final = 1e-5
# With many test rows, those that the last digits of a model decide are too few to move a score.
_MIN_EARLY_STOP_ROWS: Final = 2000
_TOLERATED_SUBOPTIMALITY: Final = 5e-7
_CONFIGURABLE: Final = {"C", "class_weight", "max_iter", "random_state", "tol"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """The same models, fitted to other rows before.

    Attributes
    ----------
    models
        In the order of the models to be fitted; None for one that was not fitted before.
    shared_columns
        Positions of the columns that both matrices have: in the previous one, and in the new one.
    """

    models: Sequence[Any]
    shared_columns: tuple[Array, Array]

    @classmethod
    def of(
        cls, models: Sequence[Any], previous_columns: Array | None, columns: Array | None
    ) -> WarmStart | None:
        """Match the columns of two matrices by their ids; None where either has no ids."""
        if previous_columns is None or columns is None:
            return None
        _, *shared = np.intersect1d(
            previous_columns, columns, assume_unique=True, return_indices=True
        )
        return cls(models=models, shared_columns=(shared[0], shared[1]))

    def initial_point(
        self, positions: Sequence[int], classes: Array, n_features: int
    ) -> tuple[Array, Array] | None:
        """Return coefficients (P, K, D) and intercepts (P, K); new columns start at 0.

        None if one of the models at these positions is missing or has other classes.
        """
        models = [linear_model(self.models[n]) for n in positions]
        if not all(np.array_equal(getattr(m, "classes_", ()), classes) for m in models):
            return None
        previous, current = self.shared_columns
        coefficients = np.stack([model.coef_ for model in models])
        W = np.zeros((*coefficients.shape[:2], n_features), coefficients.dtype)
        W[..., current] = coefficients[..., previous]
        return W, np.stack([model.intercept_ for model in models])


def fit_linear_models(
    models: Sequence[Any],
    X: Any,
    y: Array,
    executor: Executor,
    *,
    classes: Array | None = None,
    suboptimality: float = 0.0,
    before: WarmStart | None = None,
) -> None:
    """Fit the models that the fast engine supports, in place; leave the others unfitted.

    Models that do not reach their tolerance are left unfitted as well; a debug event names them.

    Parameters
    ----------
    y
        The label of each row, shape (n_samples,).
    classes
        If given, y holds positions in this array; classes without rows are left out of the models.
    suboptimality
        Accept a logistic regression, whatever its tolerance, once its objective (a mean over rows)
        is estimated to exceed the minimum by less than this; 0 turns the rule off.
    before
        Starting points from models that were fitted to other rows.
    """
    batches: dict[str, list[int]] = {}
    for n, model in enumerate(models):
        if can_fit(model, X):
            batches.setdefault(_batch_key(model), []).append(n)
    labels, codes = np.unique(y, return_inverse=True)
    classes = labels if classes is None else classes[labels]
    if not batches or len(classes) < 2:
        return
    with executor.pool() as parallel_map:

        def fit(positions: list[int]) -> None:
            batch = [models[n] for n in positions]
            first, start = linear_model(batch[0]), None
            is_logistic = isinstance(first, LogisticRegression)
            # NOTE: with a loose tolerance, a model that was fitted to rows which are test rows now
            # could already be accepted where it starts, and leak their labels
            if before is not None and first.tol <= _MAX_WARM_START_TOLERANCE:
                start = before.initial_point(positions, classes, X.shape[1])
            if is_logistic:
                is_converged, n_iter = _fit_logistic(
                    batch, X, parallel_map, classes, codes, suboptimality, start
                )
            else:
                is_converged, n_iter = fit_svcs(batch, X, parallel_map, classes, codes, start)
            _log_fits(batch, is_converged, n_iter)

        if is_single_span(len(codes)):
            executor.map(fit, batches.values())  # each batch has work for one thread only
        else:
            for positions in batches.values():
                fit(positions)


def tolerated_suboptimality(n_test_rows: int) -> float:
    """Return the suboptimality that does not change the score of so many test rows noticeably."""
    return _TOLERATED_SUBOPTIMALITY if n_test_rows >= _MIN_EARLY_STOP_ROWS else 0.0


def fit_matrix(
    X: Any,
    codes: Array,
    weights: Array,
    C: Sequence[float],
    parallel_map: ParallelMap,
    **options: Any,
) -> LinearFits:
    """Fit one logistic regression per value of `C` to a dense or a sparse matrix."""
    if sparse.issparse(X):
        return fit_regularization_path(
            SparseDesign(X.tocsr(), weights, parallel_map), codes, weights, C, **options
        )
    return fit_mixed_precision(
        X, codes, weights, np.asarray(C, np.float64), Logistic(), parallel_map, **options
    )


def polish_with_sklearn(model: Any, X: Any, y: Array) -> None:
    """Continue the fit of a logistic regression with scikit-learn, to its own stopping rule.

    `LinearSVC` has no warm start; `fit_svcs` applies liblinear's stopping rule instead.
    """
    if type(model) is LogisticRegression and can_fit(model, X) and hasattr(model, "coef_"):
        classes = model.classes_
        model.set_params(warm_start=True)
        # NOTE: scikit-learn copies the labels several times, and strings are large
        model.fit(X, np.searchsorted(classes, y))
        model.set_params(warm_start=False)
        model.classes_ = classes


def can_fit(model: Any, X: Any) -> bool:
    """Return whether the fast engine supports this model on this matrix.

    Supported are plain L2 logistic regressions and, on dense matrices, plain linear SVCs, with
    parameter values that scikit-learn accepts.  On sparse matrices `LinearSVC` is fast by itself.
    """
    if type(model) is LogisticRegression:
        return has_supported_parameters(model, _CONFIGURABLE)
    return not sparse.issparse(X) and can_fit_svc(model)


def _batch_key(model: Any) -> str:
    """Return a key that is equal for models that can be fitted in one batch."""
    linear = linear_model(model)
    fixed = {k: v for k, v in linear.get_params().items() if k not in ("C", "random_state")}
    return repr([type(model).__name__, id(getattr(model, "cv", None)), sorted(fixed.items())])


def _fit_logistic(
    models: Sequence[LogisticRegression],
    X: Any,
    parallel_map: ParallelMap,
    classes: Array,
    codes: Array,
    suboptimality: float,
    start: tuple[Array, Array] | None,
) -> tuple[list[bool], Array]:
    """Set the attributes of the models that converge; return which did, and all iterations."""
    first = models[0]
    weights = np.ones(len(codes))
    if first.class_weight is not None:
        weights = compute_sample_weight(first.class_weight, codes)
    fits = fit_matrix(
        X,
        codes,
        weights,
        [model.C for model in models],
        parallel_map,
        tolerance=first.tol,
        max_iter=first.max_iter,
        suboptimality=suboptimality,
        start=start,
    )
    # NOTE: a batch may come in float64, with which every prediction would copy its matrix
    W = fits.coefficients.astype(X.dtype, copy=False)
    is_converged = fits.errors <= first.tol
    for n in np.flatnonzero(is_converged).tolist():
        model = models[n]
        model.classes_, model.n_features_in_ = classes, X.shape[1]
        model.coef_, model.intercept_ = W[n], fits.intercepts[n]
        model.n_iter_ = fits.n_iter[n : n + 1].astype(np.int32)
    return is_converged.tolist(), fits.n_iter


def _log_fits(models: Sequence[Any], is_converged: Sequence[bool], n_iter: Array) -> None:
    log.debug("models_fitted_together", n_models=len(models), n_iter=n_iter.tolist())
    missed = [linear_model(m).C for m, done in zip(models, is_converged, strict=True) if not done]
    if missed:
        name = type(linear_model(models[0])).__name__
        log.debug("fast_engine_fell_back", estimator=name, C=missed)
