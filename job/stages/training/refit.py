"""Refit the chosen candidate and the baselines on all training rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from job.contracts.dataset import Rows
from job.contracts.model import Estimator, TrainedModel
from job.contracts.ports import Executor
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.solver.fit import fit_linear_models, polish_with_sklearn
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.split.folds import make_folds
from job.stages.training.estimators import find_kind
from job.stages.training.prototypes import RowGroups
from job.stages.training.prototypes.restandardized_batches import handle_restandardized_batches
from job.stages.training.sklearn_fit import fit


def train_model(
    train: Rows,
    feature_matrices: FeatureMatrices,
    report: SearchReport,
    spec: TrainingSpec,
    executor: Executor,
    *,
    handles_restandardized_batches: bool = False,
) -> TrainedModel:
    """Fit the preprocessing once, then the chosen candidate and the baselines on its output.

    Parameters
    ----------
    handles_restandardized_batches
        Whether prototypes on restored embeddings should also handle restandardized batches
        (`job.stages.training.prototypes.restandardized_batches`).
    """
    blocks = report.chosen.feature_blocks
    feature_matrix = feature_matrices.fit(np.arange(len(train)), blocks)
    X, y = feature_matrix.matrix(spec.search.engine), train.y.astype(str)
    groups = RowGroups(group=train.groups, min_groups=spec.features.min_groups)
    preprocess = feature_matrix.exported()
    candidates = [report.chosen, *(c for c in report.baselines if c != report.chosen)]
    models = _build_models(candidates, train, spec)
    if spec.search.engine == "fast":
        fit_linear_models(models, X, y, executor)
    is_extended = handles_restandardized_batches and feature_matrices.restores(blocks)

    def refit(n: int) -> Pipeline:
        name, model = candidates[n].estimator, models[n]
        export = find_kind(name).export
        polish_with_sklearn(model, X, y)
        fit(model, X, y, name, executor.n_workers, groups=groups)
        if export is None:
            return _join(preprocess, _without_folds(model))
        if not is_extended:
            return _join(preprocess, export(model))
        seed, group = spec.random_state, groups.group
        robust = handle_restandardized_batches(export(model), X, y, group=group, random_state=seed)
        return _join(_keep_lengths(preprocess), robust)

    pipelines = executor.map(refit, range(len(models)))
    baselines = tuple((c.estimator, pipelines[candidates.index(c)]) for c in report.baselines)
    return _describe_model(report.chosen, pipelines[0], baselines)


def _describe_model(
    chosen: CandidateScore, pipeline: Pipeline, baselines: tuple[tuple[str, Pipeline], ...]
) -> TrainedModel:
    return TrainedModel(
        estimator=chosen.estimator,
        parameters=chosen.parameters,
        feature_blocks=chosen.feature_blocks,
        pipeline=pipeline,
        baselines=baselines,
    )


def _build_models(
    candidates: Sequence[CandidateScore], train: Rows, spec: TrainingSpec
) -> list[Estimator]:
    """Return the unfitted classifiers; those without probabilities are calibrated on the folds."""
    search, seed = spec.search, spec.random_state
    kinds = [find_kind(candidate.estimator) for candidate in candidates]
    models = [
        kind.build(dict(candidate.parameters), search, seed)
        for kind, candidate in zip(kinds, candidates, strict=True)
    ]
    if not any(kind.needs_calibration for kind in kinds):
        return models
    folds = make_folds(train, 3, seed)
    return [
        kind.with_calibration(model, folds, search.calibration)
        for kind, model in zip(kinds, models, strict=True)
    ]


def _without_folds(model: Estimator) -> Estimator:
    """Remove the row positions of the training table, which must not be published."""
    if isinstance(model, CalibratedClassifierCV):
        model.set_params(cv=None)
    return model


def _keep_lengths(preprocess: Pipeline) -> Pipeline:
    """Return the preprocessing without its last step, which would normalize the row lengths."""
    return Pipeline([*preprocess.steps[:-1], ("as_long_as_it_is", "passthrough")])


def _join(preprocess: Pipeline, classifier: Estimator | Pipeline) -> Pipeline:
    return Pipeline([("preprocess", preprocess), ("classifier", classifier)])
