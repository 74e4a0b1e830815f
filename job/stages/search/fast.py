"""The fast engine: all logistic regressions of a matrix at once, in scikit-learn's own objects."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
from job.stages.search.designs import Design
from job.stages.search.logistic import fit_many
from job.stages.search.sparse import SparseDesign

log = structlog.get_logger(__name__)
Array = npt.NDArray[Any]
Start = tuple[Array, Array]  # coefficients (K, D) and intercepts (K,)
_LOOSEST: Final = 1e-5
_OWN: Final = {"C", "class_weight", "max_iter", "random_state", "tol"}


def fit_together(
    models: Sequence[Any],
    X: Any,
    y: Array,
    executor: Executor,
    *,
    excess: float = 0.0,
    starts: Sequence[Start | None] = (),
) -> None:
    """Fit those of the models that the fast engine can; leave the others as they are.

    Those that it cannot bring to their tolerance are left to scikit-learn, and the log says so.

    Parameters
    ----------
    excess
        Loss above the minimum, a row, that is near enough whatever the tolerance.
    starts
        Where each model may begin; all begin from nothing where there is none for one of them.
    """
    groups: dict[str, list[int]] = {}
    for n, model in enumerate(models):
        if _is_ours(model):
            shared = {k: v for k, v in model.get_params().items() if k not in ("C", "random_state")}
            groups.setdefault(repr(sorted(shared.items())), []).append(n)
    classes, codes = np.unique(y, return_inverse=True)
    if not groups or len(classes) < 2:
        return
    with executor.pool() as spread:
        design = make_design(X, spread)
        for some in groups.values():
            near = [found for n in some if starts and (found := starts[n]) is not None]
            W, b = ([part[k] for part in near] for k in range(2))
            start = (np.stack(W), np.stack(b)) if len(near) == len(some) else None
            _fit_group([models[n] for n in some], design, classes, codes, excess, start)


def start_of(model: Any, columns: Array, y: Array, new_columns: Array) -> Start | None:
    """Give a fitted model's coefficients in other columns, or None where they are of no use.

    Columns are numbered alike; coefficients of columns that the model has not are 0.
    """
    is_alike = _is_ours(model) and np.array_equal(model.classes_, np.unique(y))
    # NOTE: where the tolerance is loose, a model that has seen the rows that are judged might stay
    if not is_alike or model.tol > _LOOSEST:
        return None
    W = np.zeros((len(model.coef_), len(new_columns)), model.coef_.dtype)
    _, old, new = np.intersect1d(columns, new_columns, assume_unique=True, return_indices=True)
    W[:, new] = model.coef_[:, old]
    return W, model.intercept_


def make_design(X: Any, spread: Spread) -> Design:
    """Wrap a dense or a sparse matrix."""
    if sparse.issparse(X):
        return SparseDesign(X.tocsr(), spread)
    return DenseDesign(np.ascontiguousarray(X), spread)


def confirm(model: Any, X: Any, y: Array) -> None:
    """Let scikit-learn go on from where the fast engine ended, until its own rule stops it."""
    if _is_ours(model) and hasattr(model, "coef_"):
        model.set_params(warm_start=True)
        model.fit(X, y)
        model.set_params(warm_start=False)


def _is_ours(model: Any) -> bool:
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
    design: Design,
    classes: Array,
    codes: Array,
    excess: float,
    start: Start | None,
) -> None:
    first = models[0]
    weights = np.ones(len(codes))
    if first.class_weight is not None:
        weights = compute_sample_weight(first.class_weight, codes)
    C = [model.C for model in models]
    fits = fit_many(
        design,
        codes,
        weights,
        C,
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
        model.classes_, model.n_features_in_ = classes, design.shape[1]
        model.coef_, model.intercept_ = fits.coefficients[n], fits.intercepts[n]
        model.n_iter_ = fits.n_iter[n : n + 1].astype(np.int32)
