"""Refit the chosen candidate and the baselines on all training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.model import Estimator, TrainedModel
from job.contracts.ports import Executor
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.solver.fit import fit_linear_models, polish_with_sklearn
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.folding import fold_scaling
from job.stages.split.folds import make_folds
from job.stages.training.estimators import find_kind
from job.stages.training.prototypes import RowGroups
from job.stages.training.prototypes.restandardized_batches import handle_restandardized_batches
from job.stages.training.sklearn_fit import fit


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrainingData:
    """The training rows after preprocessing, and the fitted preprocessing.

    Attributes
    ----------
    X
        Dense or sparse matrix, shape (n_samples, n_features).
    y
        Label of each row, shape (n_samples,).
    is_extended
        Whether exported prototypes also handle batches standardized on their own rows.
    """

    X: Array
    y: Array
    groups: RowGroups
    preprocess: Pipeline
    is_extended: bool


def train_model(
    train: Rows,
    feature_matrices: FeatureMatrices,
    report: SearchReport,
    spec: TrainingSpec,
    executor: Executor,
    *,
    handles_restandardized_batches: bool = False,
) -> TrainedModel:
    """Fit the preprocessing, then the chosen candidate and the baselines, to all training rows.

    Parameters
    ----------
    handles_restandardized_batches
        Whether prototypes on restored embeddings (mapped back to length 1) should also handle
        batches standardized on their own rows (`prototypes.restandardized_batches`).
    """
    blocks = report.chosen.feature_blocks
    is_extended = handles_restandardized_batches and feature_matrices.restores(blocks)
    candidates = [report.chosen, *(c for c in report.baselines if c != report.chosen)]
    fitted: dict[int, Pipeline] = {}
    for is_standardized, numbers in _group_by_matrix(candidates, feature_matrices).items():
        pipelines = _refit(
            [candidates[n] for n in numbers],
            train,
            feature_matrices,
            spec,
            executor,
            is_standardized=is_standardized,
            is_extended=is_extended,
        )
        fitted |= dict(zip(numbers, pipelines, strict=True))
    return TrainedModel(
        estimator=report.chosen.estimator,
        parameters=report.chosen.parameters,
        feature_blocks=blocks,
        pipeline=fitted[0],
        baselines=tuple((c.estimator, fitted[candidates.index(c)]) for c in report.baselines),
    )


def _group_by_matrix(
    candidates: Sequence[CandidateScore], feature_matrices: FeatureMatrices
) -> dict[bool, list[int]]:
    """Group the candidates by whether they take standardized columns; return their positions.

    Only one matrix is in memory at a time, so all candidates that take the same one are fitted
    together.
    """
    numbers: dict[bool, list[int]] = {}
    for n, candidate in enumerate(candidates):
        is_standardized = feature_matrices.standardizes(
            candidate.feature_blocks,
            takes_standardized=find_kind(candidate.estimator).takes_standardized,
        )
        numbers.setdefault(is_standardized, []).append(n)
    return numbers


def _refit(
    candidates: Sequence[CandidateScore],
    train: Rows,
    feature_matrices: FeatureMatrices,
    spec: TrainingSpec,
    executor: Executor,
    *,
    is_standardized: bool,
    is_extended: bool,
) -> list[Pipeline]:
    """Refit candidates that take the same matrix; return their pipelines, and free the matrix."""
    blocks = candidates[0].feature_blocks
    feature_matrix = feature_matrices.fit(
        np.arange(len(train)), blocks, is_standardized=is_standardized
    )
    data = _TrainingData(
        X=feature_matrix.matrix(spec.search.engine),
        y=train.y.astype(str),
        groups=RowGroups(group=train.groups, min_groups=spec.features.min_groups),
        preprocess=feature_matrix.exported(),
        is_extended=is_extended,
    )
    models = _build_models(candidates, train, spec)
    if spec.search.engine == "fast":
        fit_linear_models(models, data.X, data.y, executor)

    def refit(n: int) -> Pipeline:
        name, model = candidates[n].estimator, models[n]
        polish_with_sklearn(model, data.X, data.y)
        fit(model, data.X, data.y, name, executor.n_workers, groups=data.groups)
        return _export(model, name, data, random_state=spec.random_state)

    return executor.map(refit, range(len(models)))


def _build_models(
    candidates: Sequence[CandidateScore], train: Rows, spec: TrainingSpec
) -> list[Estimator]:
    """Return one unfitted classifier per candidate.

    A classifier that cannot predict probabilities is wrapped in a calibration.
    """
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


def _export(
    model: Estimator, estimator: str, data: _TrainingData, *, random_state: int
) -> Pipeline:
    """Return the pipeline to publish: the preprocessing, followed by the fitted classifier."""
    export = find_kind(estimator).export
    if export is None:
        return _join(fold_scaling(data.preprocess, model), _without_folds(model))
    if not data.is_extended:
        return _join(data.preprocess, export(model))
    extended = handle_restandardized_batches(
        export(model), data.X, data.y, group=data.groups.group, random_state=random_state
    )
    return _join(_keep_lengths(data.preprocess), extended)


def _without_folds(model: Estimator) -> Estimator:
    """Remove the folds of a calibrated model, so that the artifact has no row positions."""
    if isinstance(model, CalibratedClassifierCV):
        model.set_params(cv=None)
    return model


def _keep_lengths(preprocess: Pipeline) -> Pipeline:
    """Return the preprocessing without its last step, which scales rows to length 1."""
    return Pipeline([*preprocess.steps[:-1], ("as_long_as_it_is", "passthrough")])


def _join(preprocess: Pipeline, classifier: Estimator | Pipeline) -> Pipeline:
    return Pipeline([("preprocess", preprocess), ("classifier", classifier)])
