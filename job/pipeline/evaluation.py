"""Evaluate a candidate: everything that is measured before the gate decides.

How it works
------------
1. With a hold-out, the published model is scored on the held-out rows.  With cross-fitting, all
   rows are scored; each row is predicted by a model that was not trained on the row's group.
2. The published model is evaluated on the challenge set and the out-of-scope set, if these exist.
3. The run also measures how similar the wording of the evaluated rows is to that of the training
   rows, the accuracy on batches of embeddings that are standardized on their own rows, and the
   share of wrong labels.
"""

from __future__ import annotations

import numpy as np
import structlog

from job.contracts.dataset import Rows
from job.contracts.reports.evaluation import CandidateEvaluation, ModelEvaluation
from job.contracts.reports.intervals import Interval
from job.contracts.reports.label_noise import LabelNoise
from job.pipeline.batches import evaluate_batches
from job.pipeline.challenge import evaluate_on_challenge
from job.pipeline.fit_candidate import FittedCandidate
from job.pipeline.out_of_scope import evaluate_out_of_scope
from job.pipeline.run_context import RunContext
from job.pipeline.training_setup import TrainingSetup
from job.stages.evaluation.cross_fitted import (
    RecipePredictions,
    apply_fold_temperatures,
    evaluate_cross_fit,
)
from job.stages.evaluation.evaluate import evaluate
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.evaluation.label_noise import estimate_label_noise
from job.stages.evaluation.wording import measure_wording
from job.stages.evaluation.wording_similarity import Part
from job.stages.features.geometry import select_geometry
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.majority import compare_with_majority
from job.stages.metrics.predictions import predict
from job.stages.split.split import DataSplit

log = structlog.get_logger(__name__)


def evaluate_candidate(
    context: RunContext,
    split: DataSplit,
    setup: TrainingSetup,
    fitted: FittedCandidate,
    out_of_scope: Rows | None,
) -> CandidateEvaluation:
    """Measure everything that gate, report and metadata contain about the candidate.

    `out_of_scope` has requests that belong to no class; None without such a set.
    """
    plan, model = context.plan, fitted.model
    with context.stage("evaluate"):
        evaluated, parts = _predict_rows(context, split, fitted)
        scores = _evaluate_rows(context, split, setup, fitted, evaluated)
    log.info("model_evaluated", method=setup.method, **scores.scores)
    if split.challenge is not None:
        with context.stage("challenge"):
            on_challenge = evaluate_on_challenge(plan, split.challenge, model, split.table.y)
        scores = on_challenge.add_to(scores)
    with context.stage("out_of_scope"):
        unknown = evaluate_out_of_scope(plan, split, model, scores.decision, out_of_scope)
    with context.stage("wording"):
        table = select_blocks(split.table, model.feature_blocks, setup.spec.columns)
        wording = measure_wording(table, evaluated, parts, context.settings.random_state)
    geometry = select_geometry(setup.geometry, model.feature_blocks)
    with context.stage("stress"):
        batches = evaluate_batches(context, split, model, wording.standardization, geometry)
    return CandidateEvaluation(
        **scores.fields(),
        out_of_scope=unknown,
        wording=wording,
        geometry=geometry,
        stress=batches.stress,
        input_check=batches.input_check,
        over_majority=compare_with_majority_class(context, evaluated),
        label_noise=_estimate_label_noise(context, split, setup, fitted),
    )


def _predict_rows(
    context: RunContext, split: DataSplit, fitted: FittedCandidate
) -> tuple[EvaluatedRows, tuple[Part, ...]]:
    """Predict the held-out rows, or use the cross-fitted predictions of all rows.

    Returns
    -------
    evaluated, parts
        `evaluated` has the rows and predictions that scores are computed from.  `parts` has a pair
        for each model that predicted: the positions of the rows that the model predicted, and the
        rows that it was trained on.
    """
    s, model = context.settings, fitted.model
    columns = s.dataset.columns
    cross, temperature = fitted.out_of_fold.cross, fitted.calibration.temperature
    if cross is None:
        test = select_blocks(split.test, model.feature_blocks, columns)
        train = select_blocks(split.train, model.feature_blocks, columns)
        predictions = predict(model.pipeline, test, model.feature_blocks)
        evaluated = EvaluatedRows.of(test, predictions, s.scoring)
        return evaluated, ((np.arange(len(test)), train),)
    rows = select_blocks(split.kept, model.feature_blocks, columns)
    folds = range(cross.n_folds)
    predictions = apply_fold_temperatures(cross.nested, cross, temperature, is_nested=True)
    evaluated = EvaluatedRows.of(rows, predictions, s.scoring)
    return evaluated, tuple(
        (np.flatnonzero(cross.fold == n), rows.take(cross.fold != n)) for n in folds
    )


def compare_with_majority_class(context: RunContext, evaluated: EvaluatedRows) -> Interval | None:
    """Return by how much the candidate is better than the majority class; None if not required."""
    if not context.settings.gate.beat_majority:
        return None
    groups = evaluated.rows.groups
    return compare_with_majority(evaluated.predictions, groups, context.settings.paired)


def _evaluate_rows(
    context: RunContext,
    split: DataSplit,
    setup: TrainingSetup,
    fitted: FittedCandidate,
    evaluated: EvaluatedRows,
) -> ModelEvaluation:
    """Score the cross-fitted predictions of all rows, or the predictions of the test rows."""
    s, model, cross = context.settings, fitted.model, fitted.out_of_fold.cross
    if cross is None:
        return evaluate(
            evaluated,
            model,
            context.ports.timer,
            spec=s.scoring,
            calibration=fitted.calibration,
            method=setup.method,
        )
    recipe = RecipePredictions(chosen=fitted.search.chosen, cross=cross, evaluated=evaluated)
    return evaluate_cross_fit(
        recipe,
        model,
        select_blocks(split.test, model.feature_blocks, s.dataset.columns),
        context.ports.timer,
        spec=s.scoring,
        calibration=fitted.calibration,
    )


def _estimate_label_noise(
    context: RunContext, split: DataSplit, setup: TrainingSetup, fitted: FittedCandidate
) -> LabelNoise | None:
    """Estimate which labels of the training rows are wrong; None if this is switched off."""
    if not context.settings.evaluation.label_noise:
        return None
    with context.stage("labels"):
        noise = estimate_label_noise(
            split.train,
            fitted.feature_matrices,
            fitted.search,
            spec=setup.spec,
            evaluation=context.settings.evaluation,
            executor=context.ports.executor,
            oof_predictions=fitted.out_of_fold.predictions,
        )
    log.info("labels_judged", n_rows=noise.n_rows, wrong_share=round(noise.share.value, 6))
    return noise
