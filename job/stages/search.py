"""Try every candidate in every fold, and choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.model_selection import ParameterGrid, ParameterSampler, StratifiedGroupKFold

from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.reports import CandidateScore, SearchReport
from job.contracts.specs import Metric, SearchSpec, TrainingSpec
from job.errors import ConfigurationError, TrainingError
from job.stages.estimators import GRIDS, calibrated, make_classifier
from job.stages.features import make_input, make_preprocessing

_OF_PROBABILITIES: Final = (Metric.ROC_AUC_OVR, Metric.NEG_LOG_LOSS)
Fold = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
Candidate = tuple[str, dict[str, Any]]


def make_folds(rows: Rows, n_folds: int, random_state: int) -> list[Fold]:
    """Cut the rows into folds by key and class, seeded."""
    cutter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random_state)
    try:
        return list(cutter.split(rows.y, rows.y, rows.keys))
    except ValueError:
        raise TrainingError(
            f"the training side cannot be cut into {n_folds} folds",
            hint="add rows of the smallest classes, or lower search.folds",
        ) from None


def search(train: Rows, spec: TrainingSpec, executor: Executor) -> SearchReport:
    """Score all candidates on the same folds; the first of the best is chosen.

    Raises
    ------
    ConfigurationError
        An estimator has no such parameter, or refuses its value.
    TrainingError
        A fold lacks a class on its training side.
    """
    candidates = list_candidates(spec.search, spec.random_state)
    folds = make_folds(train, spec.search.folds, spec.random_state)
    by_fold = [_score_fold(train, fold, candidates, spec, executor) for fold in folds]
    results = tuple(
        CandidateScore(
            estimator=name, parameters=tuple(sorted(parameters.items())), fold_scores=scores
        )
        for (name, parameters), scores in zip(candidates, zip(*by_fold, strict=True), strict=True)
    )
    return SearchReport(
        metric=spec.search.metric.value,
        candidates=results,
        chosen=max(results, key=lambda c: c.mean_score),
        baselines=tuple(_best_of(results, name) for name in ("logistic_regression", "dummy")),
    )


def list_candidates(spec: SearchSpec, random_state: int) -> list[Candidate]:
    """Spell the grids out, or draw from them."""
    grids = {name: dict(grid or GRIDS[name]) for name, grid in spec.estimators.items()}
    every = [(name, point) for name in grids for point in ParameterGrid(grids[name])]
    for name, point in every:
        make_classifier(name, point, spec, random_state)
    if spec.method == "grid" or len(every) <= spec.n_iter:
        return every
    sampler = ParameterSampler({"n": range(len(every))}, spec.n_iter, random_state=random_state)
    return [every[n] for n in sorted(point["n"] for point in sampler)]


def _best_of(results: Sequence[CandidateScore], name: str) -> CandidateScore:
    found = [c for c in results if c.estimator == name]
    default = tuple((k, v[0]) for k, v in GRIDS[name].items())
    unsearched = CandidateScore(estimator=name, parameters=default, fold_scores=())
    return max(found, key=lambda c: c.mean_score) if found else unsearched


def _score_fold(
    train: Rows,
    fold: Fold,
    candidates: list[Candidate],
    spec: TrainingSpec,
    executor: Executor,
) -> list[float]:
    inner, outer = train.take(fold[0]), train.take(fold[1])
    metric, use, seed = spec.search.metric, spec.features.use, spec.random_state
    preprocess = make_preprocessing(inner, spec.features, spec.columns)
    X_inner = preprocess.fit_transform(make_input(inner, use))
    X_outer = preprocess.transform(make_input(outer, use))
    needs_proba = metric in _OF_PROBABILITIES
    folds = make_folds(inner, 3, seed) if needs_proba else []

    def score(candidate: Candidate) -> float:
        classifier = make_classifier(*candidate, spec.search, seed)
        model = calibrated(classifier, folds, spec.search.calibration) if folds else classifier
        fit(model, X_inner, inner.y, candidate[0])
        X, y = X_outer, outer.y
        if needs_proba:
            known = np.isin(y.astype(str), model.classes_.astype(str))
            X, y = X[known], y[known]
        return float(get_scorer(metric.value)(model, X, y))

    return executor.map(score, candidates)


def fit(model: Any, X: Any, y: Any, name: str) -> None:
    """Fit in place; a value that scikit-learn refuses is the operator's."""
    from sklearn.utils._param_validation import InvalidParameterError

    try:
        model.fit(X, y)
    except InvalidParameterError as error:
        raise ConfigurationError(
            f"search.estimators.{name}: {error}", hint="correct the grid"
        ) from None
