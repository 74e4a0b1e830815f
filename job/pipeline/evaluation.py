"""The predictions that scores are computed from, and the calibration on out-of-fold predictions.

How it works
------------
1. Hold-out: the published model predicts the test rows.
2. Cross-fit: models of the same recipe predict every row, each without the row's group in training.
3. Out-of-fold predictions of the chosen candidate determine its temperature, which scales the
   logits, and, unless a challenge set does, the confidence threshold below which a consumer
   should not answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog

from job.contracts.dataset import Rows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.contracts.reports.decision_threshold import Threshold
from job.contracts.reports.geometry import Geometry
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.evaluation.cross_fitted import apply_fold_temperatures, evaluate_cross_fit
from job.stages.evaluation.evaluate import evaluate
from job.stages.evaluation.method import Method
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import select_blocks
from job.stages.metrics.predictions import Predictions, predict
from job.stages.split.split import DataSplit
from job.stages.training.cross_fit import CrossFit, FoldPlan, cross_fit
from job.stages.training.decision_threshold import choose_threshold
from job.stages.training.temperature_scaling import (
    apply_temperature,
    can_be_scaled,
    find_temperature,
)

log = structlog.get_logger(__name__)
Array = np.ndarray[Any, Any]


def predict_all_rows(
    spec: TrainingSpec,
    ports: Ports,
    split: DataSplit,
    report: SearchReport,
    folds: FoldPlan,
    *,
    geometry: Geometry | None,
) -> CrossFit:
    """Predict all kept rows, each by models that were not trained on its group.

    Parameters
    ----------
    geometry
        That of the training rows.
    """
    rows, executor = split.kept, ports.executor
    feature_matrices = FeatureMatrices(
        rows, spec.features, spec.columns, ports.matrices, executor, geometry=geometry
    )
    return cross_fit(
        rows,
        split.train_index,
        feature_matrices,
        report,
        spec=spec,
        executor=executor,
        plan=folds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedRows:
    """The evaluated rows and the predictions that scores are computed from.

    Attributes
    ----------
    parts
        Pairs of positions of rows, and the rows that the model which predicted them was trained on.
    """

    rows: Rows
    predictions: Predictions
    parts: tuple[tuple[Array, Rows], ...]


def predict_test_rows(
    plan: Plan,
    split: DataSplit,
    model: TrainedModel,
    cross: CrossFit | None,
    temperature: float | None,
) -> EvaluatedRows:
    """Predict the held-out rows, or take the cross-fitted predictions of all rows."""
    columns = plan.settings.dataset.columns
    if cross is None:
        test = select_blocks(split.test, model.feature_blocks, columns)
        return EvaluatedRows(
            rows=test,
            predictions=predict(model.pipeline, test, model.feature_blocks),
            parts=(
                (np.arange(len(test)), select_blocks(split.train, model.feature_blocks, columns)),
            ),
        )
    rows = select_blocks(split.kept, model.feature_blocks, columns)
    folds = range(cross.n_folds)
    return EvaluatedRows(
        rows=rows,
        predictions=apply_fold_temperatures(cross.nested, cross, temperature, is_nested=True),
        parts=tuple((np.flatnonzero(cross.fold == n), rows.take(cross.fold != n)) for n in folds),
    )


def evaluate_candidate(
    plan: Plan,
    ports: Ports,
    split: DataSplit,
    report: SearchReport,
    model: TrainedModel,
    evaluated: EvaluatedRows,
    *,
    method: Method,
    cross: CrossFit | None,
    threshold: Threshold | None,
    temperature: float | None,
) -> dict[str, Any]:
    """Evaluate the recipe on all rows, or the model on the test rows."""
    s = plan.settings
    if cross is None:
        assert method != "cross_fit"  # that method has a `cross`
        return evaluate(
            evaluated.predictions,
            model,
            evaluated.rows,
            ports.timer,
            spec=s.evaluation,
            metric=s.search.metric,
            random_state=s.random_state,
            threshold=threshold,
            temperature=temperature,
            method=method,
        ).to_json()
    return evaluate_cross_fit(
        evaluated.predictions,
        cross,
        evaluated.rows,
        model,
        select_blocks(split.test, model.feature_blocks, s.dataset.columns),
        ports.timer,
        chosen=report.chosen,
        spec=s.evaluation,
        decision=s.decision,
        metric=s.search.metric,
        random_state=s.random_state,
        threshold=threshold,
        temperature=temperature,
    ).to_json()


def needs_out_of_fold(plan: Plan, chosen: CandidateScore) -> bool:
    """Return whether the chosen candidate's calibration needs out-of-fold predictions."""
    return is_temperature_scaled(plan, chosen) or _learns_threshold(plan)


def _learns_threshold(plan: Plan) -> bool:
    """Return whether a threshold is learned on the table rather than on the challenge set."""
    s = plan.settings
    return s.decision.target_precision is not None and not s.learns_on_challenge


def is_temperature_scaled(plan: Plan, chosen: CandidateScore) -> bool:
    """Return whether a temperature scales the probabilities of the chosen candidate."""
    return plan.settings.search.temperature and can_be_scaled(chosen.estimator)


def calibrate(
    plan: Plan,
    split: DataSplit,
    chosen: CandidateScore,
    oof_predictions: Predictions | None,
    cross: CrossFit | None,
    *,
    is_templated: bool,
) -> tuple[float | None, Threshold | None]:
    """Learn temperature and threshold from out-of-fold predictions.

    The temperature is learned on the training rows, the threshold on all rows if these are
    cross-fitted.

    Returns
    -------
    temperature, threshold
        The first is None if logits are not scaled, the second if no target is set or the threshold
        is learned on the challenge set.
    """
    if oof_predictions is None:
        return None, None
    s, temperature, threshold = plan.settings, None, None
    if is_temperature_scaled(plan, chosen):
        temperature = find_temperature(oof_predictions)
        oof_predictions = apply_temperature(oof_predictions, temperature)
    groups = split.train.groups
    if cross is not None:
        oof_predictions = apply_fold_temperatures(cross.chosen, cross, temperature)
        groups = split.kept.groups
    if _learns_threshold(plan):
        threshold = choose_threshold(
            oof_predictions, groups, s.decision, s.evaluation, is_templated=is_templated
        )
    log.info(
        "confidence_learnt",
        temperature=temperature,
        threshold=None if threshold is None else threshold.value,
        status=None if threshold is None else threshold.status,
        n_rows=len(groups),
    )
    return temperature, threshold
