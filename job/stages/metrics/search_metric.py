"""Compute metrics of predictions, including those by which candidates are selected."""

from __future__ import annotations

import math
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from job.contracts.metric_kinds import (
    InfluenceMetric,
    LabelMetric,
    MetricDefinition,
    RowMetric,
    WholeMetric,
)
from job.stages.metrics.label_metrics import score_labels
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import KnownRows


def is_label_metric(metric: MetricDefinition) -> TypeGuard[LabelMetric]:
    """Return whether a metric needs only predicted classes, not probabilities."""
    return isinstance(metric, LabelMetric)


def compute_score(predictions: Predictions, metric: MetricDefinition) -> float | None:
    """Return the value of `metric` for the predictions; None if it is undefined.

    Metrics of probabilities are computed on the rows whose true class is one of the model's
    classes.
    """
    if isinstance(metric, LabelMetric):
        classes = predictions.classes
        return score_labels(metric, predictions.y_true, predictions.y_pred, len(classes))
    return score_rows(KnownRows(predictions), metric)


def score_rows(rows: KnownRows, metric: MetricDefinition) -> float | None:
    """Return the value of a metric of probabilities on these rows; None if it is undefined."""
    if not len(rows):
        return None
    match metric:
        case RowMetric() | InfluenceMetric():
            score, _ = measure_rows(rows, metric)
        case WholeMetric():
            score = metric.function(rows)
        case _:
            raise TypeError(f"'{metric.name}' is not computed from probabilities")
    return None if math.isnan(score) else score


def measure_rows(
    rows: KnownRows, metric: RowMetric | InfluenceMetric
) -> tuple[float, npt.NDArray[np.float64]]:
    """Return a metric's value (NaN if undefined), and the loss or influence of each row.

    The interval of the metric is computed from these values.  To first order, the mean of a
    resample's values minus the mean of all values is the resample's metric minus the metric of all
    rows.
    """
    if isinstance(metric, InfluenceMetric):
        return metric.function(rows)
    values = metric.function(rows)
    return float(values.mean()), values
