"""Temperature and decision threshold, learned from out-of-fold predictions.

A recipe is an unfitted model: an estimator with its hyperparameters and its input.

How it works
------------
1. With cross-fitting, each row is predicted by a model of the same recipe that was not trained on
   the row's group (rows that a split keeps together).  With a hold-out, the training rows are
   predicted out of fold, if step 2 or 3 needs these predictions.
2. The temperature, which divides the logits, is learned on the training rows.
3. The decision threshold is the lowest confidence at which a consumer should use a prediction.  It
   is learned on all predicted rows, or on the challenge set (real requests).
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from job.contracts.plan import Plan
from job.contracts.reports.decision_threshold import Calibration
from job.contracts.reports.search import CandidateScore, SearchReport
from job.pipeline.run_context import RunContext
from job.pipeline.training_setup import TrainingSetup
from job.stages.evaluation.cross_fitted import apply_fold_temperatures
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.predictions import Predictions
from job.stages.split.split import DataSplit
from job.stages.training.cross_fit import CrossFit, cross_fit
from job.stages.training.decision_threshold import choose_threshold
from job.stages.training.out_of_fold import predict_out_of_fold
from job.stages.training.temperature_scaling import (
    apply_temperature,
    can_be_scaled,
    find_temperature,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """Predictions of each row by a model that was not trained on the row's group.

    A group is a set of rows that every split keeps together.

    Attributes
    ----------
    cross
        Cross-fitted predictions of all rows; None with a hold-out.
    predictions
        Out-of-fold predictions of the training rows by the chosen candidate; None if calibration
        does not need them.
    """

    cross: CrossFit | None = None
    predictions: Predictions | None = None


def predict_without_groups(
    context: RunContext,
    split: DataSplit,
    setup: TrainingSetup,
    report: SearchReport,
    feature_matrices: FeatureMatrices,
) -> OutOfFold:
    """Predict rows with models that were not trained on the groups of these rows.

    With cross-fitting, all rows are predicted.  With a hold-out, the training rows are predicted
    out of fold if calibration needs these predictions; otherwise no row is predicted.
    """
    if setup.folds is not None:
        with context.stage("cross_fit"):
            cross = _predict_all_rows(context, split, setup, report)
        return OutOfFold(cross=cross, predictions=cross.chosen.take(split.train_index))
    if not _needs_out_of_fold(context.plan, report.chosen):
        return OutOfFold()
    with context.stage("out_of_fold"):
        predictions = predict_out_of_fold(
            split.train,
            feature_matrices,
            report.chosen,
            spec=setup.spec,
            executor=context.ports.executor,
        )
    return OutOfFold(predictions=predictions)


def _predict_all_rows(
    context: RunContext, split: DataSplit, setup: TrainingSetup, report: SearchReport
) -> CrossFit:
    """Predict each row that the split kept, with a model not trained on the row's group."""
    assert setup.folds is not None
    rows, spec, executor = split.kept, setup.spec, context.ports.executor
    feature_matrices = FeatureMatrices(
        rows,
        spec.features,
        spec.columns,
        context.ports.matrices,
        executor,
        geometry=setup.geometry,
    )
    return cross_fit(
        rows,
        split.train_index,
        feature_matrices,
        report,
        spec=spec,
        executor=executor,
        plan=setup.folds,
    )


def calibrate(
    plan: Plan,
    split: DataSplit,
    chosen: CandidateScore,
    out_of_fold: OutOfFold,
    *,
    is_templated: bool,
) -> Calibration:
    """Learn the temperature on the training rows, and the threshold on all predicted rows."""
    predictions, cross = out_of_fold.predictions, out_of_fold.cross
    if predictions is None:
        return Calibration()
    s, temperature, threshold = plan.settings, None, None
    if _is_temperature_scaled(plan, chosen):
        temperature = find_temperature(predictions)
        predictions = apply_temperature(predictions, temperature)
    groups = split.train.groups
    if cross is not None:
        predictions = apply_fold_temperatures(cross.chosen, cross, temperature)
        groups = split.kept.groups
    if _learns_threshold(plan):
        threshold = choose_threshold(
            predictions, groups, s.decision, s.evaluation, is_templated=is_templated
        )
    log.info(
        "confidence_learnt",
        temperature=temperature,
        threshold=None if threshold is None else threshold.value,
        status=None if threshold is None else threshold.status,
        n_rows=len(groups),
    )
    return Calibration(temperature=temperature, threshold=threshold)


def _needs_out_of_fold(plan: Plan, chosen: CandidateScore) -> bool:
    """Return whether the chosen candidate's calibration needs out-of-fold predictions."""
    return _is_temperature_scaled(plan, chosen) or _learns_threshold(plan)


def _learns_threshold(plan: Plan) -> bool:
    """Return whether the decision threshold is learned on rows of the table."""
    s = plan.settings
    return s.decision.target_precision is not None and not s.learns_on_challenge


def _is_temperature_scaled(plan: Plan, chosen: CandidateScore) -> bool:
    """Return whether a temperature scales the probabilities of the chosen candidate."""
    return plan.settings.search.temperature and can_be_scaled(chosen.estimator)
