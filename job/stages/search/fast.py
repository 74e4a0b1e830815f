"""The fast engine: all logistic regressions of a matrix at once, in scikit-learn's own objects."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import structlog
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from job.contracts.ports import Executor, Spread
from job.stages.search.dense import DenseDesign
from job.stages.search.designs import Fits
from job.stages.search.logistic import fit_many
from job.stages.search.newton import fit_path
from job.stages.search.sparse import SparseDesign

log = structlog.get_logger(__name__)
Array = npt.NDArray[Any]
_LOOSEST: Final = 1e-5
_OWN: Final = {"C", "class_weight", "max_iter", "random_state", "tol"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
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
    def of(cls, models: Sequence[Any], then: Array | None, now: Array | None) -> Before | None:
        """Match the columns by their numbers; None where those of either are not known."""
        if then is None or now is None:
            return None
        _, *moved = np.intersect1d(then, now, assume_unique=True, return_indices=True)
        return cls(models=models, moved=(moved[0], moved[1]))

    def start(
        self, positions: Sequence[int], classes: Array, n_features: int
    ) -> tuple[Array, Array] | None:
        """Give coefficients (P, K, D) and intercepts (P, K) of some models; new columns are 0.

        None where one of them is missing, or knows other classes.
        """
        models = [self.models[n] for n in positions]
        if not all(m is not None and np.array_equal(m.classes_, classes) for m in models):
            return None
        then, now = self.moved
        known = np.stack([model.coef_ for model in models])
        W = np.zeros((*known.shape[:2], n_features), known.dtype)
        W[..., now] = known[..., then]
        return W, np.stack([model.intercept_ for model in models])


def fit_together(
    models: Sequence[Any],
    X: Any,
    y: Array,
    executor: Executor,
    *,
    excess: float = 0.0,
    before: Before | None = None,
) -> None:
    """Fit those of the models that the fast engine can; leave the others as they are.

    Those that it cannot bring to their tolerance are left to scikit-learn, and the log says so.

    Parameters
    ----------
    excess
        Loss above the minimum, a row, that is near enough whatever the tolerance.
    before
        Where they may begin.
    """
    groups: dict[str, list[int]] = {}
    for n, model in enumerate(models):
        if can_fit(model):
            shared = {k: v for k, v in model.get_params().items() if k not in ("C", "random_state")}
            groups.setdefault(repr(sorted(shared.items())), []).append(n)
    classes, codes = np.unique(y, return_inverse=True)
    if not groups or len(classes) < 2:
        return
    with executor.pool() as spread:
        for some in groups.values():
            group = [models[n] for n in some]
            start = None
            # NOTE: where the tolerance is loose, a model that has seen judged rows might stay
            if before is not None and group[0].tol <= _LOOSEST:
                start = before.start(some, classes, X.shape[1])
            _fit_group(group, X, spread, classes, codes, excess, start)


def fit_matrix(
    X: Any, codes: Array, weights: Array, C: Sequence[float], spread: Spread, **rule: Any
) -> Fits:
    """Fit one model a value of `C` to a dense or a sparse matrix, as `fit_many` says."""
    if sparse.issparse(X):
        return fit_path(SparseDesign(X.tocsr(), weights, spread), codes, weights, C, **rule)
    return fit_many(DenseDesign(np.ascontiguousarray(X), spread), codes, weights, C, **rule)


def confirm(model: Any, X: Any, y: Array) -> None:
    """Let scikit-learn go on from where the fast engine ended, until its own rule stops it."""
    if can_fit(model) and hasattr(model, "coef_"):
        classes = model.classes_
        model.set_params(warm_start=True)
        # NOTE: it copies the labels several times, and strings are long
        model.fit(X, np.searchsorted(classes, y))
        model.set_params(warm_start=False)
        model.classes_ = classes


def can_fit(model: Any) -> bool:
    """Say whether a model is a plain L2 logistic regression with values scikit-learn takes."""
    if type(model) is not LogisticRegression:
        return False
    defaults, given = LogisticRegression().get_params(), model.get_params()
    numbers = [given[name] for name in ("C", "tol", "max_iter")]
    return (
        all(given[name] == defaults[name] for name in given if name not in _OWN)
        and given["class_weight"] in (None, "balanced")
        and all(isinstance(n, Real) and not isinstance(n, bool) for n in numbers)
        and all(0 < n <= sys.float_info.max for n in numbers)
        and isinstance(given["max_iter"], int)
    )


def _fit_group(
    models: Sequence[LogisticRegression],
    X: Any,
    spread: Spread,
    classes: Array,
    codes: Array,
    excess: float,
    start: tuple[Array, Array] | None,
) -> None:
    first = models[0]
    weights = np.ones(len(codes))
    if first.class_weight is not None:
        weights = compute_sample_weight(first.class_weight, codes)
    C = [model.C for model in models]
    fits = fit_matrix(
        X,
        codes,
        weights,
        C,
        spread,
        tolerance=first.tol,
        max_iter=first.max_iter,
        excess=excess,
        start=start,
    )
    is_reached = fits.errors <= first.tol
    log.debug("models_fitted_together", n_models=len(models), n_iter=fits.n_iter.tolist())
    if not is_reached.all():
        missed = [c for c, is_done in zip(C, is_reached, strict=True) if not is_done]
        log.warning("fast_engine_fell_back", estimator="logistic_regression", C=missed)
    for n in np.flatnonzero(is_reached).tolist():
        model = models[n]
        model.classes_, model.n_features_in_ = classes, X.shape[1]
        model.coef_, model.intercept_ = fits.coefficients[n], fits.intercepts[n]
        model.n_iter_ = fits.n_iter[n : n + 1].astype(np.int32)
