"""Judge a model on held-out rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.preprocessing import label_binarize

from job.contracts.dataset import Rows
from job.contracts.ports import Timer
from job.contracts.search_specs import Metric
from job.stages.features import make_input
from job.stages.train import TrainedModel

_N_CURVE_POINTS = 101


def evaluate(model: TrainedModel, test: Rows, timer: Timer) -> dict[str, Any]:
    """Judge the chosen model, with the baselines' scores and the latency beside it.

    Returns
    -------
    evaluation
        The content of evaluation.json, as far as the hold-out tells it.
    """
    X = make_input(test, model.use)
    return {
        **evaluate_model(model.pipeline, X, test),
        "baselines": {name: score_model(other, X, test) for name, other in model.baselines},
        "latency": measure_latency(model.pipeline, X, timer),
    }


def score_model(model: Any, X: Any, test: Rows) -> dict[str, float]:
    """Give the scores alone."""
    scores: dict[str, float] = evaluate_model(model, X, test)["scores"]
    return scores


def evaluate_model(model: Any, X: Any, test: Rows) -> dict[str, Any]:
    """Score a model on the hold-out.

    A class that only the test side has counts as an error in every score of labels, and stays
    out of those of probabilities.

    Returns
    -------
    evaluation
        `scores` (metric: value), `classes`, `per_class`, `confusion` (rows are true classes) and
        `curves` (one-vs-rest points).
    """
    proba = model.predict_proba(X)
    y_pred = model.classes_[proba.argmax(axis=1)].astype(object)
    classes = sorted(set(test.y) | set(model.classes_))
    per_class, scores = _label_scores(test.y, y_pred, classes)
    curves = _probability_scores(test.y, proba, list(model.classes_), per_class, scores)
    return {
        "classes": classes,
        "n_test": len(test),
        "scores": {k: round(v, 6) for k, v in sorted(scores.items())},
        "per_class": per_class,
        "confusion": metrics.confusion_matrix(test.y, y_pred, labels=classes).tolist(),
        "curves": curves,
    }


def _label_scores(
    y_true: Any, y_pred: Any, classes: list[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, float]]:
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        y_true, y_pred, labels=classes, zero_division=0
    )
    per_class = {
        name: {
            "precision": float(precision[n]),
            "recall": float(recall[n]),
            "f1": float(f1[n]),
            "n_test": int(support[n]),
        }
        for n, name in enumerate(classes)
    }
    scores = {"accuracy": float(metrics.accuracy_score(y_true, y_pred))}
    scores["balanced_accuracy"] = float(recall[support > 0].mean())
    for average in ("macro", "weighted"):
        p, r, f, _ = metrics.precision_recall_fscore_support(
            y_true, y_pred, average=average, zero_division=0
        )
        scores |= {f"precision_{average}": float(p), f"recall_{average}": float(r)}
        scores[f"f1_{average}"] = float(f)
    return per_class, scores


def _probability_scores(
    y_true: Any,
    proba: Any,
    classes: list[str],
    per_class: dict[str, dict[str, Any]],
    scores: dict[str, float],
) -> dict[str, Any]:
    known = np.isin(y_true.astype(str), np.array(classes, str))
    if not known.any():
        return {}
    y, p = y_true[known], proba[known]
    scores["log_loss"] = float(metrics.log_loss(y.astype(str), p, labels=classes))
    scores[Metric.NEG_LOG_LOSS.value] = -scores["log_loss"]
    truth = label_binarize(y.astype(str), classes=classes)
    if len(classes) == 2:
        truth = np.hstack([1 - truth, truth])
    curves = {}
    for n, name in enumerate(classes):
        if 0 < truth[:, n].sum() < len(truth):
            per_class[name]["roc_auc"] = float(metrics.roc_auc_score(truth[:, n], p[:, n]))
            per_class[name]["pr_auc"] = float(metrics.average_precision_score(truth[:, n], p[:, n]))
            curves[name] = _curves(truth[:, n], p[:, n])
    for score, name in (("roc_auc", Metric.ROC_AUC_OVR.value), ("pr_auc", "pr_auc_ovr")):
        found = [c[score] for c in per_class.values() if score in c]
        if found:
            scores[name] = math.fsum(found) / len(found)
    return curves


def _curves(truth: Any, score: Any) -> dict[str, list[float]]:
    grid = np.linspace(0, 1, _N_CURVE_POINTS)
    fpr, tpr, _ = metrics.roc_curve(truth, score)
    precision, recall, _ = metrics.precision_recall_curve(truth, score)
    return {
        "false_positive_rate": grid.round(4).tolist(),
        "true_positive_rate": np.interp(grid, fpr, tpr).round(4).tolist(),
        "recall": grid.round(4).tolist(),
        "precision": np.interp(grid, recall[::-1], precision[::-1]).round(4).tolist(),
    }


def measure_latency(model: Any, X: Any, timer: Timer, n_rows: int = 50) -> dict[str, float]:
    """Time one-row predictions; p50 and p95 in milliseconds."""
    seconds = []
    for n in range(min(n_rows, X.shape[0] if hasattr(X, "shape") else len(X)) + 2):
        row = n % (X.shape[0] if hasattr(X, "shape") else len(X))
        one = X.iloc[row : row + 1] if hasattr(X, "iloc") else X[row : row + 1]
        start = timer()
        model.predict_proba(one)
        seconds.append(timer() - start)
    p50, p95 = np.percentile(seconds[2:], (50, 95)) * 1000
    return {"p50_ms": float(p50), "p95_ms": float(p95)}
