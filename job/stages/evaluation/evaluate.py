"""Evaluate a model on held-out rows: scores, intervals, slices, calibration and latency."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from sklearn import metrics

from job.contracts.dataset import Rows
from job.contracts.metric_kinds import LabelMetric
from job.contracts.metrics import METRICS
from job.contracts.model import TrainedModel
from job.contracts.ports import Timer
from job.contracts.reports.decision_threshold import Calibration, Decision, Threshold
from job.contracts.reports.evaluation import (
    Method,
    ModelEvaluation,
    PredictionScores,
    RowScores,
)
from job.contracts.reports.scores import ClassScores, Curves, Latency, Scores, Temperature
from job.contracts.settings.job_settings import ScoringSpec
from job.contracts.settings.search import FeatureBlocks
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.evaluation.intervals import compute_intervals
from job.stages.evaluation.reliability import measure_reliability, trace_risk
from job.stages.evaluation.slice_scores import score_slices
from job.stages.features.preprocessing import make_input
from job.stages.metrics.label_metrics import PER_CLASS, compute_label_scores
from job.stages.metrics.predictions import Predictions, predict
from job.stages.metrics.row_metrics import KnownRows
from job.stages.metrics.search_metric import score_rows
from job.stages.training.decision_threshold import measure_abstention
from job.stages.training.temperature_scaling import apply_temperature, describe_temperature

_N_CURVE_POINTS: Final = 101
_N_TIMED: Final = 50
_NOT_CALIBRATED: Final = Calibration()
_ClassValues = dict[str, dict[str, float]]  # by class, then by score


def evaluate(
    evaluated: EvaluatedRows,
    model: TrainedModel,
    timer: Timer,
    *,
    spec: ScoringSpec,
    calibration: Calibration = _NOT_CALIBRATED,
    method: Method = "holdout",
) -> ModelEvaluation:
    """Evaluate the chosen model: scores, intervals, slices, the baselines' scores and the latency.

    Parameters
    ----------
    evaluated
        The test rows, and the model's predictions of them.
    calibration
        The temperature that the model's coefficients were divided by, and the decision threshold
        whose coverage and precision are measured.
    method
        Where the test rows come from.
    """
    test, predictions = evaluated.rows, evaluated.predictions
    return ModelEvaluation(
        **evaluate_rows(evaluated, spec).fields(),
        method=method,
        decision=_measure_decision(evaluated, calibration.threshold),
        temperature=_describe_temperature(predictions, calibration.temperature),
        baselines={
            name: score_model(baseline, test, model.feature_blocks)
            for name, baseline in model.baselines
        },
        latency=time_model(model, test, timer),
    )


def _measure_decision(evaluated: EvaluatedRows, threshold: Threshold | None) -> Decision | None:
    if threshold is None:
        return None
    return measure_abstention(evaluated.predictions, evaluated.bootstrap, threshold)


def _describe_temperature(
    predictions: Predictions, temperature: float | None
) -> Temperature | None:
    """Return the temperature, with the losses before and after scaling.

    `predictions` are scaled already.  The predictions before scaling are computed from them.
    """
    if temperature is None or not predictions.has_known_class.any():
        return None
    before = apply_temperature(predictions, 1 / temperature)
    return describe_temperature(before, predictions, temperature)


def evaluate_rows(
    evaluated: EvaluatedRows, spec: ScoringSpec, *, is_cross_fitted: bool = False
) -> RowScores:
    """Return the scores of predictions, overall and by slice, with confidence intervals."""
    predictions, bootstrap, slices = evaluated.predictions, evaluated.bootstrap, None
    if evaluated.rows.slices is not None:
        slices = score_slices(
            predictions,
            bootstrap,
            evaluated.rows.slices,
            spec.metric,
            min_rows=spec.evaluation.min_slice_rows,
        )
    return RowScores(
        **evaluate_predictions(predictions).fields(),
        intervals=compute_intervals(predictions, bootstrap, is_cross_fitted=is_cross_fitted),
        slices=slices,
    )


def time_model(model: TrainedModel, rows: Rows, timer: Timer) -> Latency:
    """Measure the latency of a model on the first rows, which are predicted one at a time."""
    first_rows = rows.take(np.arange(min(len(rows), _N_TIMED)))
    return measure_latency(model.pipeline, make_input(first_rows, model.feature_blocks), timer)


def score_model(model: Any, test: Rows, feature_blocks: FeatureBlocks) -> Scores:
    """Predict the test rows, and return only the scores, without confusion matrix and curves."""
    return evaluate_model(model, test, feature_blocks).scores


def evaluate_model(model: Any, test: Rows, feature_blocks: FeatureBlocks) -> PredictionScores:
    """Predict the test rows, and evaluate the predictions by `evaluate_predictions`."""
    return evaluate_predictions(predict(model, test, feature_blocks))


def evaluate_predictions(predictions: Predictions) -> PredictionScores:
    """Compute scores, confusion matrix, curves and calibration of predictions.

    If the true class of a row is not one of the model's classes, the row counts as an error in
    scores of predicted labels, and is left out of scores of probabilities.
    """
    classes, y_true, y_pred = predictions.classes, predictions.y_true, predictions.y_pred
    per_class, scores = _label_scores(predictions)
    curves = _probability_scores(predictions, per_class, scores)
    numbers = np.arange(len(classes))
    return PredictionScores(
        classes=classes,
        n_test=len(y_true),
        scores={k: round(v, 6) for k, v in sorted(scores.items())},
        per_class={name: ClassScores.model_validate(values) for name, values in per_class.items()},
        confusion=metrics.confusion_matrix(y_true, y_pred, labels=numbers).tolist(),
        curves=curves,
        reliability=measure_reliability(predictions),
        risk_coverage=trace_risk(predictions),
    )


def _label_scores(predictions: Predictions) -> tuple[_ClassValues, Scores]:
    """Return the scores of predicted labels: by class name, and averaged over the classes."""
    y_true, classes = predictions.y_true, predictions.classes
    values = compute_label_scores(y_true, predictions.y_pred, len(classes))
    support = np.bincount(y_true, minlength=len(classes))
    per_class: _ClassValues = {
        name: {**{score: values[score, n] for score in PER_CLASS}, "n_test": int(support[n])}
        for n, name in enumerate(classes)
    }
    return per_class, {name: value for (name, n), value in values.items() if n is None}


def _probability_scores(
    predictions: Predictions, per_class: _ClassValues, scores: Scores
) -> dict[str, Curves]:
    """Add scores of probabilities to `per_class` and `scores`; return the curves by class.

    The scores are computed on the rows whose true class is one of the model's classes.
    """
    rows = KnownRows(predictions)
    for metric in METRICS.values():
        if not isinstance(metric, LabelMetric):
            score = score_rows(rows, metric)
            if score is not None:
                scores[metric.name] = score
    curves = {}
    for column, number in enumerate(rows.model_classes.tolist()):
        if number in rows.roc_areas[0]:
            name = predictions.classes[number]
            per_class[name]["roc_auc"] = rows.roc_areas[0][number]
            per_class[name]["pr_auc"] = rows.pr_areas[number]
            curves[name] = _curves(rows.y_true == number, rows.proba[:, column])
    return curves


def _curves(truth: Any, score: Any) -> Curves:
    grid = np.linspace(0, 1, _N_CURVE_POINTS)
    fpr, tpr, _ = metrics.roc_curve(truth, score)
    precision, recall, _ = metrics.precision_recall_curve(truth, score)
    return Curves(
        false_positive_rate=grid.round(4).tolist(),
        true_positive_rate=np.interp(grid, fpr, tpr).round(4).tolist(),
        recall=grid.round(4).tolist(),
        precision=np.interp(grid, recall[::-1], precision[::-1]).round(4).tolist(),
    )


def measure_latency(model: Any, X: Any, timer: Timer, n_rows: int = _N_TIMED) -> Latency:
    """Time one-row predictions; return the median and 95th percentile in milliseconds.

    Two predictions are made first and not timed, because the first calls are slower.
    """
    seconds = []
    for n in range(min(n_rows, X.shape[0] if hasattr(X, "shape") else len(X)) + 2):
        row = n % (X.shape[0] if hasattr(X, "shape") else len(X))
        one_row = X.iloc[row : row + 1] if hasattr(X, "iloc") else X[row : row + 1]
        start = timer()
        model.predict_proba(one_row)
        seconds.append(timer() - start)
    p50, p95 = np.percentile(seconds[2:], (50, 95)) * 1000
    return Latency(p50_ms=float(p50), p95_ms=float(p95))
