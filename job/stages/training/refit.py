"""Refit the chosen candidate and the baselines on all training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from job.contracts.dataset import Rows
from job.contracts.model import TrainedModel
from job.contracts.ports import Executor
from job.contracts.reports.search import SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.solver.fit import fit_linear_models, polish_with_sklearn
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.split.folds import make_folds
from job.stages.training.estimators import make_classifier, with_calibration
from job.stages.training.prototypes import Prototypes, RowGroups
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
    feature_matrix = feature_matrices.fit(np.arange(len(train)), report.chosen.feature_blocks)
    X, y = feature_matrix.matrix(spec.search.engine), train.y.astype(str)
    groups = RowGroups(group=train.groups, min_groups=spec.features.min_groups)
    preprocess = feature_matrix.exported()
    candidates = [report.chosen, *(c for c in report.baselines if c != report.chosen)]
    models = [
        make_classifier(c.estimator, dict(c.parameters), spec.search, spec.random_state)
        for c in candidates
    ]
    if any(isinstance(model, LinearSVC) for model in models):
        folds = make_folds(train, 3, spec.random_state)
        models = [with_calibration(model, folds, spec.search.calibration) for model in models]
    if spec.search.engine == "fast":
        fit_linear_models(models, X, y, executor)

    def refit(n: int) -> Any:
        model = models[n]
        polish_with_sklearn(model, X, y)
        fit(model, X, y, candidates[n].estimator, executor.n_workers, groups=groups)
        if isinstance(model, CalibratedClassifierCV):
            model.set_params(cv=None)  # do not publish row positions of the training table
        model_preprocess = preprocess
        if isinstance(model, Prototypes):
            model = model.pipeline_
            if handles_restandardized_batches and feature_matrices.restores(
                report.chosen.feature_blocks
            ):
                model = handle_restandardized_batches(
                    model, X, y, group=groups.group, random_state=spec.random_state
                )
                # the model needs the row lengths, which the last step would normalize away
                model_preprocess = Pipeline(
                    [*preprocess.steps[:-1], ("as_long_as_it_is", "passthrough")]
                )
        return Pipeline([("preprocess", model_preprocess), ("classifier", model)])

    pipelines = executor.map(refit, range(len(models)))
    return TrainedModel(
        estimator=report.chosen.estimator,
        parameters=report.chosen.parameters,
        feature_blocks=report.chosen.feature_blocks,
        pipeline=pipelines[0],
        baselines=tuple((c.estimator, pipelines[candidates.index(c)]) for c in report.baselines),
    )
