"""Try every candidate in every fold, and choose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import structlog
from sklearn.metrics import get_scorer

from job.contracts.dataset import Rows
from job.contracts.ports import Executor, Timer
from job.contracts.reports import CandidateScore, SearchReport
from job.contracts.search_specs import Metric
from job.contracts.specs import TrainingSpec
from job.errors import ConfigurationError
from job.stages.estimators import GRIDS, calibrated, make_classifier
from job.stages.folds import Fold
from job.stages.preparation import Preparation
from job.stages.search.candidates import Candidate, list_candidates, make_folds
from job.stages.search.fast import fit_together

__all__ = ["fit", "fit_first", "list_candidates", "make_folds", "search"]

log = structlog.get_logger(__name__)

# Of many rows, those that the last digits of a model decide are too few to move a score.
_MANY_ROWS: Final = 2000
_SLACK_OF_MANY: Final = 10.0
Array = npt.NDArray[Any]
_OF_PROBABILITIES: Final = (Metric.ROC_AUC_OVR, Metric.NEG_LOG_LOSS)


def search(
    train: Rows, preparation: Preparation, spec: TrainingSpec, executor: Executor, timer: Timer
) -> SearchReport:
    """Score all candidates on the same folds; the first of the best is chosen.

    Parameters
    ----------
    preparation
        Of the same rows.
    timer
        Ends the search after the fold in which `max_seconds` are over.

    Raises
    ------
    ConfigurationError
        An estimator has no such parameter, or refuses its value.
    TrainingError
        A fold lacks a class on its training side.
    """
    candidates = list_candidates(spec.search, spec.random_state)
    folds = make_folds(train, spec.search.folds, spec.random_state)
    y = train.y.astype(str)
    ends_at = timer() + (spec.search.max_seconds or math.inf)
    by_fold: list[list[float]] = []
    for fold in folds:
        if by_fold and timer() >= ends_at:
            log.warning("search_cut_short", n_folds=len(by_fold), n_folds_asked=len(folds))
            break
        by_fold.append(_score_fold(train, y, preparation, fold, candidates, spec, executor))
    results = tuple(
        CandidateScore(
            estimator=name, parameters=tuple(sorted(parameters.items())), fold_scores=scores
        )
        for (name, parameters), scores in zip(candidates, zip(*by_fold, strict=True), strict=True)
    )
    return SearchReport(
        metric=spec.search.metric.value,
        is_cut_short=len(by_fold) < len(folds),
        candidates=results,
        chosen=max(results, key=lambda c: c.mean_score),
        baselines=tuple(_best_of(results, name) for name in ("logistic_regression", "dummy")),
    )


def _best_of(results: Sequence[CandidateScore], name: str) -> CandidateScore:
    found = [c for c in results if c.estimator == name]
    default = tuple((k, v[0]) for k, v in GRIDS[name].items())
    unsearched = CandidateScore(estimator=name, parameters=default, fold_scores=())
    return max(found, key=lambda c: c.mean_score) if found else unsearched


def _score_fold(
    train: Rows,
    y: Array,
    preparation: Preparation,
    fold: Fold,
    candidates: Sequence[Candidate],
    spec: TrainingSpec,
    executor: Executor,
) -> list[float]:
    prepared = preparation.fit(fold[0])
    X_inner, X_outer = prepared.X, prepared.transform(fold[1])
    y_inner, y_outer = y[fold[0]], y[fold[1]]
    metric = spec.search.metric
    needs_proba = metric in _OF_PROBABILITIES
    folds = make_folds(train.take(fold[0]), 3, spec.random_state) if needs_proba else []
    models = [make_classifier(*c, spec.search, spec.random_state) for c in candidates]
    slack = _SLACK_OF_MANY if len(y_outer) >= _MANY_ROWS else 1.0
    fit_first(models, X_inner, y_inner, spec, executor, slack=slack)

    def score(n: int) -> float:
        model = calibrated(models[n], folds, spec.search.calibration) if folds else models[n]
        fit(model, X_inner, y_inner, candidates[n][0])
        if not needs_proba:
            return float(get_scorer(metric.value)(model, X_outer, y_outer))
        known = np.isin(y_outer, model.classes_)
        return float(get_scorer(metric.value)(model, X_outer[known], y_outer[known]))

    return executor.map(score, range(len(models)))


def fit_first(
    models: Sequence[Any],
    X: Any,
    y: Array,
    spec: TrainingSpec,
    executor: Executor,
    *,
    slack: float = 1.0,
) -> None:
    """Fit what the engine of the settings fits better than one by one, to `slack` tolerances."""
    if spec.search.engine == "fast":
        fit_together(models, X, y, executor, slack=slack)


def fit(model: Any, X: Any, y: Array, name: str) -> None:
    """Fit in place what is not fitted yet; a value that scikit-learn refuses is the operator's."""
    from sklearn.utils._param_validation import InvalidParameterError

    if hasattr(model, "classes_"):
        return
    try:
        model.fit(X, y)
    except InvalidParameterError as error:
        raise ConfigurationError(
            f"search.estimators.{name}: {error}", hint="correct the grid"
        ) from None
