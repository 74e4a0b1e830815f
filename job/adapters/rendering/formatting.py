"""How the pages name and write numbers."""

from __future__ import annotations

from typing import Final

from job.contracts.metrics import METRICS

CRITERIA: Final = {  # and scores of one class
    "anchor": "Anchor",
    "anchor_recall": "Recall by class, beside the anchor",
    "challenge_accuracy": "Accuracy, challenge set",
    "challenge_champion": "Champion, on the challenge set",
    "challenge_f1_macro": "F1, macro, challenge set",
    "challenge_precision_macro": "Precision, macro, challenge set",
    "challenge_recall_macro": "Recall, macro, challenge set",
    "champion": "Champion",
    "champion_recall": "Recall by class, beside the champion",
    "f1": "F1",
    "latency_p95_ms": "Latency of one row, p95 in ms",
    "model_bytes": "Model file, bytes",
    "pr_auc": "PR-AUC",
    "precision": "Precision",
    "recall": "Recall",
    "roc_auc": "ROC-AUC",
    "slice_floor": "Accuracy of the lowest slice",
    "stress_accuracy": "Accuracy in batches that are standardized anew",
}


def metric_name(key: str) -> str:
    """Return the name of a metric, or what it is called in evaluation.json."""
    return METRICS[key].title if key in METRICS else CRITERIA.get(key, key)


def score(value: float | None) -> str:
    """Write a score with four digits; nothing where it is not defined."""
    return "" if value is None else f"{value:.4f}"


def signed(value: float) -> str:
    """Write a difference with its sign, the minus as wide as the plus."""
    return f"{value:+.4f}".replace("-", "\u2212")


def count(value: int) -> str:
    """Write a count with its thousands apart."""
    return f"{value:,}"


def percent(value: float) -> str:
    """Write a share in per cent."""
    return f"{100 * value:g} %"


def number(value: float | None) -> str:
    """Write any number: a whole one as a count, others with four digits."""
    if value is None:
        return ""
    return count(int(value)) if float(value).is_integer() else f"{value:.4f}"


def plain_value(value: object) -> str:
    """Write a value of the settings or of a comparison on one line."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain_value(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k} = {plain_value(v)}" for k, v in sorted(value.items())) or "none"
    return str(value)
