"""The fast engine: all logistic regressions of a matrix at once, in scikit-learn's own objects."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from numbers import Real
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import structlog
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from job.contracts.ports import Executor
from job.stages.search.designs import Design, make_design
from job.stages.search.logistic import fit_many

log = structlog.get_logger(__name__)
Array = npt.NDArray[Any]
_LOOSEST: Final = 1e-5
_OWN: Final = {"C", "class_weight", "max_iter", "random_state", "tol"}


def fit_together(
    models: Sequence[Any],
    X: Any,
    y: Array,
    executor: Executor,
    *,
    slack: float = 1.0,
    near: Sequence[Any] = (),
) -> None:
    """Fit those of the models that the fast engine can; leave the others as they are.

    Models that the engine cannot bring to their tolerance, times the slack, are left to
    scikit-learn, and the log says so.

    Parameters
    ----------
    near
        The same models as fitted to other rows with the same columns, to start from; None for one
        that is not.
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
            start = _start([near[n] for n in some], classes, design.shape[1]) if near else None
            _fit_group([models[n] for n in some], design, classes, codes, slack, start)


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


def _start(
    models: Sequence[LogisticRegression | None], classes: Array, n_features: int
) -> tuple[Array, Array] | None:
    """Give coefficients and intercepts of fitted models, if they are of the same shape."""
    alike = [
        model
        for model in models
        if model is not None
        and np.array_equal(getattr(model, "classes_", ()), classes)
        and model.n_features_in_ == n_features
    ]
    if len(alike) < len(models):
        return None
    return np.stack([m.coef_ for m in alike]), np.stack([m.intercept_ for m in alike])


def _fit_group(
    models: Sequence[LogisticRegression],
    design: Design,
    classes: Array,
    codes: Array,
    slack: float,
    start: tuple[Array, Array] | None,
) -> None:
    first = models[0]
    # NOTE: a tolerance that the operator has loosened is not loosened once more
    tolerance = max(first.tol, min(slack * first.tol, _LOOSEST))
    weights = np.ones(len(codes))
    if first.class_weight is not None:
        weights = compute_sample_weight(first.class_weight, codes)
    C = [model.C for model in models]
    fits = fit_many(
        design, codes, weights, C, tolerance=tolerance, max_iter=first.max_iter, start=start
    )
    is_reached = fits.errors <= tolerance
    log.debug("models_fitted_together", n_models=len(models), n_iter=fits.n_iter.tolist())
    if not is_reached.all():
        missed = [c for c, is_done in zip(C, is_reached, strict=True) if not is_done]
        log.warning("fast_engine_fell_back", estimator="logistic_regression", C=missed)
    for n in np.flatnonzero(is_reached).tolist():
        model = models[n]
        model.classes_, model.n_features_in_ = classes, design.shape[1]
        model.coef_, model.intercept_ = fits.coefficients[n], fits.intercepts[n]
        model.n_iter_ = fits.n_iter[n : n + 1].astype(np.int32)
