"""The fast engine: all linear models of a matrix at once, in scikit-learn's own objects."""

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
from job.solver.linear_svc import can_fit_svc, fit_svcs, has_plain_values, linear_of
from job.solver.losses import Logistic
from job.solver.mixed_precision import fit_mixed_precision
from job.solver.newton_cg import fit_regularization_path
from job.solver.row_spans import LinearFits, is_small
from job.solver.sparse_design import SparseDesign

log = structlog.get_logger(__name__)
Array = npt.NDArray[Any]
_MAX_WARM_START_TOLERANCE: Final = 1e-5
# Of many rows, those that the last digits of a model decide are too few to move a score.
_MANY_ROWS: Final = 2000
_TOLERATED_SUBOPTIMALITY: Final = 5e-7
_OWN: Final = {"C", "class_weight", "max_iter", "random_state", "tol"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """The same models as fitted to other rows.

    Attributes
    ----------
    models
        In the order of the models that are fitted now; None for one that was not.
    moved
        Positions of the columns that both matrices have, in the one of then and in that of now.
    """

    models: Sequence[Any]
    moved: tuple[Array, Array]

    @classmethod
    def of(cls, models: Sequence[Any], then: Array | None, now: Array | None) -> WarmStart | None:
        """Match the columns by their numbers; None where those of either are not known."""
        if then is None or now is None:
            return None
        _, *moved = np.intersect1d(then, now, assume_unique=True, return_indices=True)
        return cls(models=models, moved=(moved[0], moved[1]))

    def start(
        self, positions: Sequence[int], classes: Array, n_features: int
    ) -> tuple[Array, Array] | None:
        """Return coefficients (P, K, D) and intercepts (P, K) of some models; new columns are 0.

        None where one of them is missing, or knows other classes.
        """
        models = [linear_of(self.models[n]) for n in positions]
        if not all(np.array_equal(getattr(m, "classes_", ()), classes) for m in models):
            return None
        then, now = self.moved
        known = np.stack([model.coef_ for model in models])
        W = np.zeros((*known.shape[:2], n_features), known.dtype)
        W[..., now] = known[..., then]
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
    """Fit those of the models that the fast engine can; leave the others as they are.

    Those that it cannot bring to their tolerance are left to scikit-learn; a debug line says so.

    Parameters
    ----------
    y
        The label of each row, shape (n,).
    classes
        What y are positions in, where they are numbers; those without rows are left out.
    suboptimality
        Loss of a logistic regression above the minimum, a row, that is near enough whatever its
        tolerance.
    before
        Where they may begin.
    """
    groups: dict[str, list[int]] = {}
    for n, model in enumerate(models):
        if can_fit(model, X):
            groups.setdefault(_key_of(model), []).append(n)
    found, codes = np.unique(y, return_inverse=True)
    classes = found if classes is None else classes[found]
    if not groups or len(classes) < 2:
        return
    with executor.pool() as parallel_map:

        def fit(some: list[int]) -> None:
            group = [models[n] for n in some]
            first, start = linear_of(group[0]), None
            is_logistic = isinstance(first, LogisticRegression)
            # NOTE: where the tolerance is loose, a model that has seen judged rows might stay
            if before is not None and first.tol <= _MAX_WARM_START_TOLERANCE:
                start = before.start(some, classes, X.shape[1])
            if is_logistic:
                is_done, n_iter = _fit_logistic(
                    group, X, parallel_map, classes, codes, suboptimality, start
                )
            else:
                is_done, n_iter = fit_svcs(group, X, parallel_map, classes, codes, start)
            _tell(group, is_done, n_iter)

        if is_small(len(codes)):
            executor.map(fit, groups.values())  # each of them has work for one thread only
        else:
            for some in groups.values():
                fit(some)


def tolerated_suboptimality(n_judged: int) -> float:
    """Return the suboptimality that does not matter for models that score so many rows."""
    return _TOLERATED_SUBOPTIMALITY if n_judged >= _MANY_ROWS else 0.0


def fit_matrix(
    X: Any, codes: Array, weights: Array, C: Sequence[float], parallel_map: ParallelMap, **rule: Any
) -> LinearFits:
    """Fit one logistic regression a value of `C` to a dense or a sparse matrix."""
    if sparse.issparse(X):
        return fit_regularization_path(
            SparseDesign(X.tocsr(), weights, parallel_map), codes, weights, C, **rule
        )
    return fit_mixed_precision(
        X, codes, weights, np.asarray(C, np.float64), Logistic(), parallel_map, **rule
    )


def polish_with_sklearn(model: Any, X: Any, y: Array) -> None:
    """Let scikit-learn's logistic regression go on from where the fast engine ended.

    Its own rule stops it.  `LinearSVC` cannot go on; `fit_svcs` has worked out its rule.
    """
    if type(model) is LogisticRegression and can_fit(model, X) and hasattr(model, "coef_"):
        classes = model.classes_
        model.set_params(warm_start=True)
        # NOTE: it copies the labels several times, and strings are long
        model.fit(X, np.searchsorted(classes, y))
        model.set_params(warm_start=False)
        model.classes_ = classes


def can_fit(model: Any, X: Any) -> bool:
    """Return whether a model is of those that the fast engine fits to such a matrix.

    They are plain L2 logistic regressions, and on full matrices plain linear SVCs, with values
    that scikit-learn takes: it is fast itself with `LinearSVC` on a sparse matrix.
    """
    if type(model) is LogisticRegression:
        return has_plain_values(model, _OWN)
    return not sparse.issparse(X) and can_fit_svc(model)


def _key_of(model: Any) -> str:
    """Tell models apart that are not fitted side by side."""
    linear = linear_of(model)
    given = {k: v for k, v in linear.get_params().items() if k not in ("C", "random_state")}
    return repr([type(model).__name__, id(getattr(model, "cv", None)), sorted(given.items())])


def _fit_logistic(
    models: Sequence[LogisticRegression],
    X: Any,
    parallel_map: ParallelMap,
    classes: Array,
    codes: Array,
    suboptimality: float,
    start: tuple[Array, Array] | None,
) -> tuple[list[bool], Array]:
    """Fit those that come to their tolerance; say which they are, and give the iterations."""
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
    # NOTE: doubles, which some may have needed, would have every prediction copy its rows
    W = fits.coefficients.astype(X.dtype, copy=False)
    is_reached = fits.errors <= first.tol
    for n in np.flatnonzero(is_reached).tolist():
        model = models[n]
        model.classes_, model.n_features_in_ = classes, X.shape[1]
        model.coef_, model.intercept_ = W[n], fits.intercepts[n]
        model.n_iter_ = fits.n_iter[n : n + 1].astype(np.int32)
    return is_reached.tolist(), fits.n_iter


def _tell(models: Sequence[Any], is_done: Sequence[bool], n_iter: Array) -> None:
    log.debug("models_fitted_together", n_models=len(models), n_iter=n_iter.tolist())
    missed = [linear_of(m).C for m, done in zip(models, is_done, strict=True) if not done]
    if missed:
        name = type(linear_of(models[0])).__name__
        log.debug("fast_engine_fell_back", estimator=name, C=missed)
