"""The score by which candidates are chosen and compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from job.contracts.metrics import Metric
from job.stages.metrics.label_metrics import AVERAGED, LabelScores, count_columns
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import log_losses, roc_auc_influences

Array = np.ndarray[Any, Any]


def is_of_labels(metric: Metric) -> bool:
    """Return whether a metric asks for classes, and not for probabilities."""
    return metric.value in AVERAGED


def score_labels(metric: Metric, y_true: Array, y_pred: Array, n_classes: int) -> float:
    """Return a score of labels, which are numbers from 0; n_classes may exceed those that occur."""
    cells = [cell[cell >= 0] for cell in count_columns(y_true, y_pred, n_classes)]
    counts = np.bincount(np.concatenate(cells), minlength=3 * n_classes)[None].astype(float)
    return float(LabelScores(counts).measure(counts)[0, AVERAGED.index(metric.value)])


def score_of(found: Predictions, metric: Metric) -> float | None:
    """Return a score; None where it is not defined.

    Probabilities are judged on the rows whose class the model knows.
    """
    if is_of_labels(metric):
        return score_labels(metric, found.y_true, found.y_pred, len(found.classes))
    some = found.take(found.has_known_class)
    if not len(some.y_true):
        return None
    if metric is Metric.NEG_LOG_LOSS:
        return -float(log_losses(some).mean())
    assert metric is Metric.ROC_AUC_OVR
    area, _ = roc_auc_influences(some)
    return None if np.isnan(area) else area
