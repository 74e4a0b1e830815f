"""Cross-validation of the candidates: fit them to a fold's training rows and score its test rows.

How it works
------------
1. Candidates with the same feature blocks share the feature matrix of a fold.  There are two
   versions of it: linear models take standardized columns, other models do not.
2. The fast engine fits all linear models that take the same matrix together, warm-started from the
   previous fold's models.  Prototype models with equal centers are fitted together.  scikit-learn
   fits all other models, and those that the fast engine did not bring to convergence.
3. All models predict the test rows.  If the metric is computed from predicted classes alone, these
   predictions are kept: the choice of the candidate and the cross-fitted evaluation use them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn import config_context

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.metric_kinds import MetricDefinition
from job.contracts.ports import Executor
from job.contracts.reports.search import SearchedLabels
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import FeatureBlocks
from job.errors import TrainingError
from job.solver.fit import can_fit, fit_linear_models, tolerated_suboptimality
from job.solver.previous_models import PreviousModels
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.label_metrics import score_labels
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.search_metric import compute_score, is_label_metric
from job.stages.split.folds import Fold, make_folds
from job.stages.training.estimators import find_kind
from job.stages.training.prototypes import RowGroups
from job.stages.training.search.candidates import Candidate
from job.stages.training.sklearn_fit import list_fits

_Input = tuple[FeatureBlocks, bool]  # feature blocks, and whether columns are standardized


class FoldScorer:
    """Scores candidates, one fold after another.

    The models of each fold are warm-started from the previous fold's models, which have seen rows
    that are test rows now.  Each model is optimized to convergence, so the result does not depend
    on the starting point, and nothing leaks from the test rows.
    """

    def __init__(
        self, train: Rows, feature_matrices: FeatureMatrices, spec: TrainingSpec, executor: Executor
    ) -> None:
        self._train, self._feature_matrices = train, feature_matrices
        self._spec, self._executor = spec, executor
        self._y, self._groups = train.y.astype(str), train.groups
        self._classes, self._codes = np.unique(self._y, return_inverse=True)
        # the previous fold's models, and the column numbers of their matrix
        self._previous: dict[_Input, tuple[dict[int, Any], Array | None]] = {}
        self._y_pred: dict[int, Array] = {}
        self._fold = np.full(len(train), -1, np.int16)
        self._n_folds = 0
        self._min_groups = spec.features.min_groups

    def begin_round(self, share: float) -> None:
        """Discard the predictions of the previous round.

        Parameters
        ----------
        share
            Share of the training rows in this round; `features.min_groups` is multiplied by this
            share.
        """
        self._min_groups = math.ceil(self._spec.features.min_groups * share)
        self._y_pred.clear()
        self._fold[:] = -1
        self._n_folds = 0

    def labels(self, n_candidates: int) -> SearchedLabels | None:
        """Return the classes predicted in this round; None if the metric needs probabilities."""
        if not is_label_metric(self._spec.search.metric):
            return None
        no_labels = np.full(len(self._train), -1, np.int16)
        return SearchedLabels(
            n_classes=len(self._classes),
            y_true=self._codes,
            y_pred=np.stack([self._y_pred.get(n, no_labels) for n in range(n_candidates)]),
            fold=self._fold,
        )

    def score(self, candidates: Mapping[int, Candidate], fold: Fold) -> dict[int, float]:
        """Return the score of each candidate on the fold's test rows."""
        by_input: dict[_Input, list[int]] = {}
        for n, candidate in candidates.items():
            kind = find_kind(candidate.estimator)
            is_standardized = self._feature_matrices.standardizes(
                candidate.feature_blocks, takes_standardized=kind.takes_standardized
            )
            form = (candidate.feature_blocks, is_standardized)
            by_input.setdefault(form, []).append(n)
        self._previous = {
            form: models for form, models in self._previous.items() if form in by_input
        }
        scores: dict[int, float] = {}
        for form, numbers in by_input.items():
            input_scores = self._score_input({n: candidates[n] for n in numbers}, fold, form)
            scores |= dict(zip(numbers, input_scores, strict=True))
        self._fold[fold[1]] = self._n_folds
        self._n_folds += 1
        return scores

    def _score_input(
        self,
        candidates: Mapping[int, Candidate],
        fold: Fold,
        form: _Input,
    ) -> list[float]:
        # NOTE: the training matrix is freed before the test matrix is made
        models, transform = self._fit_input(candidates, fold, form)
        test_index, metric = fold[1], self._spec.search.metric
        X, codes = transform(test_index), self._codes[test_index]

        def score(n: int) -> float:
            with config_context(assume_finite=True):  # ingestion has checked the table
                if not is_label_metric(metric):
                    return _score_probabilities(metric, models[n], X, codes, self._classes)
                y_pred = np.searchsorted(self._classes, models[n].predict(X))
            self._y_pred[n][test_index] = y_pred
            return score_labels(metric, codes, y_pred, len(self._classes))

        for n in candidates:
            self._y_pred.setdefault(n, np.full(len(self._train), -1, np.int16))
        return self._executor.map(score, candidates)

    def _build_models(
        self, candidates: Mapping[int, Candidate], train_index: Array
    ) -> dict[int, Any]:
        """Return one unfitted estimator per candidate, by the candidate's number.

        If the metric needs probabilities, estimators that cannot predict them are calibrated.
        """
        spec, seed = self._spec.search, self._spec.random_state
        models = {n: candidate.build(spec, seed) for n, candidate in candidates.items()}
        if is_label_metric(spec.metric) or all(
            hasattr(m, "predict_proba") for m in models.values()
        ):
            return models
        folds = make_folds(self._train.take(train_index), 3, seed)
        return {
            n: find_kind(candidates[n].estimator).with_calibration(m, folds, spec.calibration)
            for n, m in models.items()
        }

    def _find_previous(
        self,
        candidates: Mapping[int, Candidate],
        form: _Input,
        columns: Array | None,
    ) -> PreviousModels | None:
        """Return the previous fold's models, from which these candidates' fits start."""
        previous, previous_columns = self._previous.get(form, ({}, None))
        models = [previous.get(n) for n in candidates]
        return PreviousModels.of(models, previous_columns, columns)

    def _fit_input(
        self,
        candidates: Mapping[int, Candidate],
        fold: Fold,
        form: _Input,
    ) -> tuple[dict[int, Any], Callable[[Array], Any]]:
        spec, (blocks, is_standardized) = self._spec.search, form
        train_index, test_index = fold
        feature_matrix = self._feature_matrices.fit(
            train_index, blocks, self._min_groups, is_standardized=is_standardized
        )
        X, y = feature_matrix.matrix(spec.engine), self._y[train_index]
        models = self._build_models(candidates, train_index)
        groups = RowGroups(group=self._groups[train_index], min_groups=self._min_groups)
        warm_start = self._find_previous(candidates, form, feature_matrix.columns)

        def fit_fast() -> None:
            fit_linear_models(
                list(models.values()),
                X,
                self._codes[train_index],
                self._executor,
                classes=self._classes,
                suboptimality=tolerated_suboptimality(len(test_index)),
                before=warm_start,
            )
            self._previous[form] = (models, feature_matrix.columns)

        def list_others(numbers: list[int]) -> list[Callable[[], None]]:
            named = [(candidates[n].estimator, models[n]) for n in numbers]
            return list_fits(named, X, y, groups)

        is_fast = {n: spec.engine == "fast" and can_fit(m, X) for n, m in models.items()}
        tasks: list[Callable[[], None]] = [fit_fast] if any(is_fast.values()) else []
        tasks += list_others([n for n in models if not is_fast[n]])
        self._executor.map(lambda task: task(), tasks)
        # scikit-learn fits those that the fast engine did not bring to convergence
        tasks = list_others([n for n, model in models.items() if not hasattr(model, "classes_")])
        self._executor.map(lambda task: task(), tasks)
        return models, feature_matrix.transform


def _score_probabilities(
    metric: MetricDefinition, model: Any, X: Any, codes: Array, classes: Array
) -> float:
    """Return a model's score by a metric of probabilities.

    A metric that is a mean over classes omits classes without rows.

    Parameters
    ----------
    codes
        The class of each row, as a position in `classes`, shape (n_rows,).
    """
    predictions = Predictions(
        classes=tuple(classes.tolist()),
        y_true=codes,
        proba=model.predict_proba(X),
        model_classes=np.searchsorted(classes, model.classes_),
    )
    score = compute_score(predictions, metric)
    if score is None:
        raise TrainingError(
            f"a fold of the search has too few classes: '{metric.name}' is undefined",
            hint="add rows of the smallest classes, lower search.folds, or change search.metric",
        )
    return score
