"""Refit the chosen candidate on the whole training side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.reports import CandidateScore, SearchReport
from job.contracts.specs import TrainingSpec
from job.stages.estimators import calibrated, make_classifier
from job.stages.features import make_input, make_preprocessing
from job.stages.search import fit, make_folds


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """The chosen pipeline, and the baselines by name; all fitted on the same rows."""

    estimator: str
    parameters: tuple[tuple[str, Any], ...]
    pipeline: Any
    baselines: tuple[tuple[str, Any], ...]


def train_model(
    train: Rows,
    report: SearchReport,
    spec: TrainingSpec,
    executor: Executor,
) -> TrainedModel:
    """Fit the preprocessing once, and on it the chosen candidate and the baselines."""
    preprocess = make_preprocessing(train, spec.features, spec.columns)
    X = preprocess.fit_transform(make_input(train, spec.features.use))
    folds = make_folds(train, 3, spec.random_state)

    def refit(candidate: CandidateScore) -> Any:
        classifier = make_classifier(
            candidate.estimator, dict(candidate.parameters), spec.search, spec.random_state
        )
        model = calibrated(classifier, folds, spec.search.calibration)
        fit(model, X, train.y.astype(str), candidate.estimator)
        if isinstance(model, CalibratedClassifierCV):
            model.set_params(cv=None)  # row positions of the training table
        return Pipeline([("preprocess", preprocess), ("classifier", model)])

    chosen, *others = executor.map(refit, [report.chosen, *report.baselines])
    names = [candidate.estimator for candidate in report.baselines]
    return TrainedModel(
        estimator=report.chosen.estimator,
        parameters=report.chosen.parameters,
        pipeline=chosen,
        baselines=tuple(zip(names, others, strict=True)),
    )
