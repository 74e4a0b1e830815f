"""Fit candidates in a fold, and score them on its other side."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import config_context

from job.contracts.dataset import Rows
from job.contracts.metrics import Metric
from job.contracts.ports import Executor
from job.contracts.reports.search import SearchedLabels
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import FeatureBlocks
from job.errors import TrainingError
from job.solver.fit import WarmStart, can_fit, fit_linear_models, tolerated_suboptimality
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.search_metric import is_of_labels, score_labels, score_of
from job.stages.split.folds import Fold, make_folds
from job.stages.training.estimators import with_calibration
from job.stages.training.prototypes import Prototypes, RowGroups, fit_prototypes, with_same_centers
from job.stages.training.search.candidates import Candidate
from job.stages.training.sklearn_fit import fit

Array = npt.NDArray[Any]


class FoldScorer:
    """Scores candidates fold by fold.

    Each fold starts from the models of the one before, and goes on to the minimum: what those have
    seen of the rows that are judged now is forgotten there.
    """

    def __init__(
        self, train: Rows, feature_matrices: FeatureMatrices, spec: TrainingSpec, executor: Executor
    ) -> None:
        self._train, self._preparation = train, feature_matrices
        self._spec, self._executor = spec, executor
        self._y, self._groups = train.y.astype(str), train.groups
        self._classes, self._codes = np.unique(self._y, return_inverse=True)
        self._near: dict[FeatureBlocks, tuple[dict[int, Any], Array | None]] = {}
        self._predicted: dict[int, Array] = {}
        self._fold = np.full(len(train), -1, np.int16)
        self._n_folds = 0

    def begin_round(self) -> None:
        """Forget what was predicted in the round before."""
        self._predicted.clear()
        self._fold[:] = -1
        self._n_folds = 0

    def labels(self, n_candidates: int) -> SearchedLabels | None:
        """Return what was predicted in this round; None where the metric is not one of labels."""
        if not is_of_labels(self._spec.search.metric):
            return None
        nothing = np.full(len(self._train), -1, np.int16)
        return SearchedLabels(
            n_classes=len(self._classes),
            y_true=self._codes,
            y_pred=np.stack([self._predicted.get(n, nothing) for n in range(n_candidates)]),
            fold=self._fold,
        )

    def score(
        self, candidates: Mapping[int, Candidate], fold: Fold, share: float
    ) -> dict[int, float]:
        """Return the score of each candidate on the fold's second side.

        Parameters
        ----------
        share
            Of the table, in the folds of this round: `features.min_groups` shrinks as it does.
        """
        min_groups = math.ceil(self._spec.features.min_groups * share)
        by_use: dict[FeatureBlocks, list[int]] = {}
        for n, candidate in candidates.items():
            by_use.setdefault(candidate.feature_blocks, []).append(n)
        self._near = {
            feature_blocks: found
            for feature_blocks, found in self._near.items()
            if feature_blocks in by_use
        }
        scores: dict[int, float] = {}
        for feature_blocks, some in by_use.items():
            found = self._score_input(
                {n: candidates[n] for n in some}, fold, feature_blocks, min_groups
            )
            scores |= dict(zip(some, found, strict=True))
        self._fold[fold[1]] = self._n_folds
        self._n_folds += 1
        return scores

    def _score_input(
        self,
        candidates: Mapping[int, Candidate],
        fold: Fold,
        feature_blocks: FeatureBlocks,
        min_groups: int,
    ) -> list[float]:
        # NOTE: the matrix that was fitted to is gone before that of the other side comes
        models, transform = self._fit_input(candidates, fold, feature_blocks, min_groups)
        X, codes, metric = transform(fold[1]), self._codes[fold[1]], self._spec.search.metric

        def score(n: int) -> float:
            with config_context(assume_finite=True):  # the table was looked through long ago
                if not is_of_labels(metric):
                    return _score_probabilities(metric, models[n], X, codes, self._classes)
                y_pred = np.searchsorted(self._classes, models[n].predict(X))
            self._predicted[n][fold[1]] = y_pred
            return score_labels(metric, codes, y_pred, len(self._classes))

        for n in candidates:
            self._predicted.setdefault(n, np.full(len(self._train), -1, np.int16))
        return self._executor.map(score, candidates)

    def _fit_input(
        self,
        candidates: Mapping[int, Candidate],
        fold: Fold,
        feature_blocks: FeatureBlocks,
        min_groups: int,
    ) -> tuple[dict[int, Any], Callable[[Array], Any]]:
        spec, seed = self._spec.search, self._spec.random_state
        feature_matrix = self._preparation.fit(fold[0], feature_blocks, min_groups)
        X, y, codes = feature_matrix.matrix(spec.engine), self._y[fold[0]], self._codes[fold[0]]
        models = {n: candidate.build(spec, seed) for n, candidate in candidates.items()}
        needs_proba = not is_of_labels(spec.metric)
        has_none = needs_proba and any(not hasattr(m, "predict_proba") for m in models.values())
        if has_none:
            folds = make_folds(self._train.take(fold[0]), 3, seed)
            models = {n: with_calibration(m, folds, spec.calibration) for n, m in models.items()}
        groups = RowGroups(group=self._groups[fold[0]], min_groups=min_groups)
        near, then = self._near.get(feature_blocks, ({}, None))
        before = WarmStart.of([near.get(n) for n in candidates], then, feature_matrix.columns)

        def fit_fast() -> None:
            some = list(models.values())
            fit_linear_models(
                some,
                X,
                codes,
                self._executor,
                classes=self._classes,
                suboptimality=tolerated_suboptimality(len(fold[1])),
                before=before,
            )
            self._near[feature_blocks] = (models, feature_matrix.columns)

        def fit_one(n: int) -> None:
            fit(models[n], X, y, candidates[n].estimator, groups=groups)

        is_fast = {n: spec.engine == "fast" and can_fit(m, X) for n, m in models.items()}
        work: list[Callable[[], None]] = [fit_fast] if any(is_fast.values()) else []
        prototypes = [m for m in models.values() if isinstance(m, Prototypes)]
        work += [
            functools.partial(fit_prototypes, some, X, y, groups)
            for some in with_same_centers(prototypes)
        ]
        others = [n for n, model in models.items() if not isinstance(model, Prototypes)]
        work += [functools.partial(fit_one, n) for n in others if not is_fast[n]]
        self._executor.map(lambda do: do(), work)
        # those that the fast engine did not get there are scikit-learn's
        self._executor.map(fit_one, [n for n in candidates if not hasattr(models[n], "classes_")])
        return models, feature_matrix.transform


def _score_probabilities(metric: Metric, model: Any, X: Any, codes: Array, classes: Array) -> float:
    """Score a fitted model on rows whose classes are numbers: they are compared faster than words.

    A class without rows is left out of means over classes.
    """
    found = Predictions(
        classes=tuple(classes.tolist()),
        y_true=codes,
        proba=model.predict_proba(X),
        known=np.searchsorted(classes, model.classes_),
    )
    score = score_of(found, metric)
    if score is None:
        raise TrainingError(
            f"a fold of the search holds too few classes: {metric.value} is undefined there",
            hint="add rows of the smallest classes, lower search.folds, or choose another metric",
        )
    return score
