"""Evaluate a recipe on all rows of the table, and the published model on the held-out rows.

A recipe is an estimator with its parameters and input, before it is fitted to any rows.

How it works
------------
1. Every row was predicted by a model that was not trained on the row's group
   (`job.stages.training.cross_fit`).  The scores of these predictions are scores of the recipe, and
   all rows of the table contribute to them.
2. The temperature and the decision threshold of a fold are chosen on the other folds.  If the
   published model is scaled by a temperature, the predictions of each fold are scaled by the fold's
   temperature.  Coverage and precision are measured with the fold's threshold.
3. The published model itself is scored on the held-out rows: `holdout` of evaluation.json.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.model import TrainedModel
from job.contracts.ports import Timer
from job.contracts.reports.decision_threshold import Calibration, Decision
from job.contracts.reports.evaluation import CrossFit as CrossFitReport
from job.contracts.reports.evaluation import Holdout, ModelEvaluation
from job.contracts.reports.search import CandidateScore
from job.contracts.settings.job_settings import ScoringSpec
from job.stages.evaluation.evaluate import evaluate_predictions, evaluate_rows, time_model
from job.stages.evaluation.evaluated_rows import EvaluatedRows
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


def apply_fold_temperatures(
    predictions: Predictions, cross: CrossFit, temperature: float | None, *, is_nested: bool = False
) -> Predictions:
    """Scale the predictions of each fold by the temperature that is learned on the other folds.

    Parameters
    ----------
    temperature
        Temperature of the published model.  If None, neither the model nor a fold is scaled.
    is_nested
        Whether the candidate was chosen separately for each fold.  If so, folds whose candidate
        cannot be scaled, such as a linear SVC, are not changed.
    """
    if temperature is None:
        return predictions
    names = [choice.estimator for choice in cross.choices]
    folds = [n for n, name in enumerate(names) if not is_nested or can_be_scaled(name)]
    return apply_temperature_by_fold(predictions, cross.fold, folds)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipePredictions:
    """Cross-fitted predictions of all rows of the table.

    Attributes
    ----------
    chosen
        The candidate that the search chose.
    cross
        The cross-fitted predictions before temperature scaling, and their folds.
    evaluated
        All rows and their scaled predictions.  The rows of each fold are predicted by a candidate
        that was chosen without the labels of these rows.
    """

    chosen: CandidateScore
    cross: CrossFit
    evaluated: EvaluatedRows


def evaluate_cross_fit(
    recipe: RecipePredictions,
    model: TrainedModel,
    test: Rows,
    timer: Timer,
    *,
    spec: ScoringSpec,
    calibration: Calibration,
) -> ModelEvaluation:
    """Evaluate the recipe on all rows, and the published model on the held-out rows (`holdout`).

    Parameters
    ----------
    model, test
        The published model, and the held-out rows, which it was not trained on.
    calibration
        Temperature and decision threshold of the published model; the threshold was chosen on
        all rows.
    """
    cross, temperature = recipe.cross, None
    if calibration.temperature is not None:
        temperature = describe_temperature(
            cross.nested, recipe.evaluated.predictions, calibration.temperature
        )
    return ModelEvaluation(
        **evaluate_rows(recipe.evaluated, spec, is_cross_fitted=True).fields(),
        method="cross_fit",
        cross_fit=_describe_cross_fit(recipe),
        holdout=_evaluate_model(model, test, spec),
        decision=_measure_decision(recipe, spec, calibration),
        temperature=temperature,
        baselines={
            name: evaluate_predictions(baseline).scores for name, baseline in cross.baselines
        },
        latency=time_model(model, test, timer),
    )


def _measure_decision(
    recipe: RecipePredictions, spec: ScoringSpec, calibration: Calibration
) -> Decision | None:
    """Measure coverage and precision on each fold with a threshold chosen on the other folds."""
    threshold, cross, evaluated = calibration.threshold, recipe.cross, recipe.evaluated
    if threshold is None:
        return None
    chosen = apply_fold_temperatures(cross.chosen, cross, calibration.temperature)
    row_thresholds = None
    if threshold.value is not None:
        row_thresholds = choose_thresholds_by_fold(
            chosen, evaluated.bootstrap.groups, cross.fold, spec.decision, spec.evaluation
        )
    return measure_abstention(
        evaluated.predictions, evaluated.bootstrap, threshold, least=row_thresholds
    )


def _describe_cross_fit(recipe: RecipePredictions) -> CrossFitReport:
    cross, groups = recipe.cross, recipe.evaluated.bootstrap.groups
    return CrossFitReport(
        n_folds=cross.n_folds,
        n_rows=len(groups),
        n_groups=len(np.unique(groups)),
        n_effective_groups=effective_groups(groups),
        is_nested=cross.is_nested,
        n_other_choices=cross.n_other_choices(recipe.chosen),
    )


def _evaluate_model(model: TrainedModel, test: Rows, spec: ScoringSpec) -> Holdout:
    """Return the scores of the published model on the held-out rows."""
    predictions = predict(model.pipeline, test, model.feature_blocks)
    evaluated = EvaluatedRows.of(test, predictions, spec)
    return Holdout(
        n_rows=len(test),
        n_groups=evaluated.bootstrap.n_groups,
        scores=evaluate_predictions(predictions).scores,
        intervals=compute_intervals(predictions, evaluated.bootstrap),
    )
