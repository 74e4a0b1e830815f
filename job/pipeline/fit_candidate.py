"""Fit the candidate of a run: search, calibrate, and refit to all training rows."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from job.contracts.model import TrainedModel
from job.contracts.reports.decision_threshold import Calibration
from job.contracts.reports.search import SearchReport
from job.pipeline.batches import may_be_restandardized
from job.pipeline.calibration import OutOfFold, calibrate, predict_without_groups
from job.pipeline.challenge import choose_candidate
from job.pipeline.run_context import RunContext
from job.pipeline.training_setup import TrainingSetup
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.split.split import DataSplit
from job.stages.training.compatibility import make_compatible, use_double_precision
from job.stages.training.refit import train_model
from job.stages.training.search import search
from job.stages.training.temperature_scaling import scale_coefficients

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCandidate:
    """The chosen candidate after fitting.

    The memory of the feature matrices is not freed while this object exists.

    Attributes
    ----------
    compatible_with
        Other releases of scikit-learn that can load the model.
    """

    search: SearchReport
    feature_matrices: FeatureMatrices
    out_of_fold: OutOfFold
    calibration: Calibration
    model: TrainedModel
    compatible_with: tuple[str, ...]


def fit_candidate(context: RunContext, split: DataSplit, setup: TrainingSetup) -> FittedCandidate:
    """Search the candidates, calibrate the chosen one, and fit it to all training rows."""
    report, feature_matrices = _search(context, split, setup)
    out_of_fold = predict_without_groups(context, split, setup, report, feature_matrices)
    calibration = calibrate(
        context.plan, split, report.chosen, out_of_fold, is_templated=setup.is_templated
    )
    context.ports.memory.release()  # memory of the search, before the complete table is prepared
    # cross-fitted baselines are fitted within the folds
    refit_report = report if out_of_fold.cross is None else report.copy_with(baselines=())
    s = context.settings
    with context.stage("train"):
        model = train_model(
            split.train,
            feature_matrices,
            refit_report,
            setup.spec,
            context.ports.executor,
            handles_restandardized_batches=may_be_restandardized(
                s, context.plan.suite, setup.geometry
            ),
        )
    if calibration.temperature is not None:
        scale_coefficients(model.pipeline, calibration.temperature)
    use_double_precision(model.pipeline)
    log.info("model_trained", estimator=model.estimator, n_samples=len(split.train))
    return FittedCandidate(
        search=report,
        feature_matrices=feature_matrices,
        out_of_fold=out_of_fold,
        calibration=calibration,
        model=model,
        compatible_with=make_compatible(model.pipeline, s.package.compatible_with),
    )


def _search(
    context: RunContext, split: DataSplit, setup: TrainingSetup
) -> tuple[SearchReport, FeatureMatrices]:
    """Cross-validate the candidates, and choose one; the challenge set can decide the choice."""
    spec, ports = setup.spec, context.ports
    with context.stage("search"):
        feature_matrices = FeatureMatrices(
            split.train,
            spec.features,
            spec.columns,
            ports.matrices,
            ports.executor,
            geometry=setup.geometry,
        )
        report = search(split.train, feature_matrices, spec, ports.executor, ports.timer)
    report = choose_candidate(
        context, spec, split=split, report=report, feature_matrices=feature_matrices
    )
    return report, feature_matrices
