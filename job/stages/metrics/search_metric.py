"""The metric by which candidates are selected and compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from job.contracts.metrics import Metric
from job.stages.metrics.label_metrics import AVERAGED, compute_label_scores
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import log_losses, roc_auc_influences

Array = np.ndarray[Any, Any]


def is_label_metric(metric: Metric) -> bool:
    """Return whether a metric needs predicted classes only, not probabilities."""
    return metric.value in AVERAGED


def score_labels(metric: Metric, y_true: Array, y_pred: Array, n_classes: int) -> float:
    """Return one metric of predicted classes, as `compute_label_scores` does."""
    return compute_label_scores(y_true, y_pred, n_classes)[metric.value, None]


def compute_score(predictions: Predictions, metric: Metric) -> float | None:
    """Return a metric of predictions; None where it is not defined.

    Metrics of probabilities are computed on the rows whose class the model knows.
    """
    if is_label_metric(metric):
        classes = predictions.classes
        return score_labels(metric, predictions.y_true, predictions.y_pred, len(classes))
    known = predictions.take(predictions.has_known_class)
    if not len(known.y_true):
        return None
    if metric is Metric.NEG_LOG_LOSS:
        return -float(log_losses(known).mean())
    assert metric is Metric.ROC_AUC_OVR
    area, _ = roc_auc_influences(known)
    return None if np.isnan(area) else area
