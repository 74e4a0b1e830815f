"""Evaluate a recipe on all rows of its table, and its published model on the held-out rows.

How it works
------------
1. Every row was predicted by a model that was not trained on its group
   (`job.stages.training.cross_fit`). The scores are computed from these predictions, so they are
   those of the recipe, and all rows of the table count.
2. If the published model is scaled by a temperature, the predictions of each fold are scaled by
   the temperature that fits the other folds; likewise a decision threshold is measured on each
   fold with the value that the other folds give.
3. The published model itself is scored on the held-out rows: the part `holdout`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.metric_kinds import MetricDefinition
from job.contracts.model import TrainedModel
from job.contracts.ports import Timer
from job.contracts.reports.decision_threshold import Threshold
from job.contracts.reports.evaluation import CrossFit as CrossFitReport
from job.contracts.reports.evaluation import Holdout, ModelEvaluation
from job.contracts.reports.search import CandidateScore
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.stages.evaluation.evaluate import evaluate_predictions, evaluate_rows, time_model
from job.stages.evaluation.intervals import compute_intervals
from job.stages.metrics.group_sums import effective_groups
from job.stages.metrics.predictions import Predictions, predict
from job.stages.training.cross_fit import CrossFit
from job.stages.training.decision_threshold import choose_thresholds_by_fold, measure_abstention
from job.stages.training.temperature_scaling import (
    apply_temperature_by_fold,
    can_be_scaled,
    describe_temperature,
)

Array = np.ndarray[Any, Any]


def apply_fold_temperatures(
    predictions: Predictions, cross: CrossFit, temperature: float | None, *, is_nested: bool = False
) -> Predictions:
    """Return the predictions of each fold, scaled by the temperature that fits the other folds.

    Parameters
    ----------
    temperature
        That of the published model; None if it is not scaled, and then nothing is.
    is_nested
        Whether the candidate differs from fold to fold. Folds of an estimator that cannot be
        scaled, such as a linear SVC, are left as they are.
    """
    if temperature is None:
        return predictions
    names = [choice.estimator for choice in cross.choices]
    folds = [n for n, name in enumerate(names) if not is_nested or can_be_scaled(name)]
    return apply_temperature_by_fold(predictions, cross.fold, folds)


def evaluate_cross_fit(
    predictions: Predictions,
    cross: CrossFit,
    rows: Rows,
    model: TrainedModel,
    test: Rows,
    timer: Timer,
    *,
    chosen: CandidateScore,
    spec: EvaluationSpec,
    decision: DecisionSpec,
    metric: MetricDefinition,
    random_state: int,
    threshold: Threshold | None,
    temperature: float | None,
) -> ModelEvaluation:
    """Return the evaluation, with the scores of the recipe on all rows.

    Parameters
    ----------
    predictions
        Cross-fitted predictions of `rows`, with the candidate chosen again for each fold.
    cross
        The same, not scaled by a temperature yet.
    model, test
        The published model, and the rows that it was not trained on; the part `holdout` has its
        scores.
    threshold
        Chosen on all rows; None if no target precision is set.
    """
    abstention = temperature_report = None
    if threshold is not None:
        chosen_predictions = apply_fold_temperatures(cross.chosen, cross, temperature)
        row_thresholds = None
        if threshold.value is not None:
            row_thresholds = choose_thresholds_by_fold(
                chosen_predictions, rows.groups, cross.fold, decision, spec
            )
        abstention = measure_abstention(
            predictions, rows.groups, threshold, spec, random_state, least=row_thresholds
        )
    if temperature is not None:
        temperature_report = describe_temperature(cross.nested, predictions, temperature)
    scores = evaluate_rows(
        predictions,
        rows,
        spec=spec,
        metric=metric,
        random_state=random_state,
        is_cross_fitted=True,
    )
    return ModelEvaluation(
        **scores.fields(),
        method="cross_fit",
        cross_fit=CrossFitReport(
            n_folds=cross.n_folds,
            n_rows=len(rows),
            n_groups=len(np.unique(rows.groups)),
            n_effective_groups=effective_groups(rows.groups),
            is_nested=cross.is_nested,
            n_other_choices=cross.n_other_choices(chosen),
        ),
        holdout=_evaluate_model(
            predict(model.pipeline, test, model.feature_blocks), test, spec, random_state
        ),
        decision=abstention,
        temperature=temperature_report,
        baselines={
            name: evaluate_predictions(baseline).scores for name, baseline in cross.baselines
        },
        latency=time_model(model, test, timer),
    )


def _evaluate_model(
    predictions: Predictions, test: Rows, spec: EvaluationSpec, random_state: int
) -> Holdout:
    """Return the scores of the published model on the held-out rows."""
    return Holdout(
        n_rows=len(test),
        n_groups=len(np.unique(test.groups)),
        scores=evaluate_predictions(predictions).scores,
        intervals=compute_intervals(predictions, test.groups, spec, random_state),
    )
