"""Names and formats of the numbers on the pages."""

from __future__ import annotations

from typing import Final

from job.contracts.metrics import METRICS

CRITERIA: Final = {  # and scores of one class
    "anchor": "Anchor",
    "anchor_recall": "Recall by class, compared with the anchor",
    "challenge_accuracy": "Accuracy, challenge set",
    "challenge_champion": "Champion, on the challenge set",
    "challenge_f1_macro": "F1, macro, challenge set",
    "challenge_precision_macro": "Precision, macro, challenge set",
    "challenge_recall_macro": "Recall, macro, challenge set",
    "champion": "Champion",
    "champion_recall": "Recall by class, compared with the champion",
    "f1": "F1",
    "latency_p95_ms": "Latency of one row, p95 in ms",
    "changed_groups": "Changed groups",
    "model_bytes": "Model file, bytes",
    "pr_auc": "PR-AUC",
    "precision": "Precision",
    "recall": "Recall",
    "roc_auc": "ROC-AUC",
    "slice_floor": "Accuracy of the lowest slice",
    "stress_accuracy": "Accuracy in batches that are standardized on their own rows",
}


def metric_name(key: str) -> str:
    """Return a metric's title by its key in evaluation.json; the key if there is no title."""
    return METRICS[key].title if key in METRICS else CRITERIA.get(key, key)


def score(value: float | None) -> str:
    """Format a score with four digits; return an empty text for None."""
    return "" if value is None else f"{value:.4f}"


def signed(value: float) -> str:
    """Format a difference with its sign; the minus is as wide as the plus."""
    return f"{value:+.4f}".replace("-", "\u2212")


def count(value: int) -> str:
    """Format a count with separators of thousands."""
    return f"{value:,}"


def percent(value: float) -> str:
    """Format a share in percent."""
    return f"{100 * value:g}%"


def number(value: float | None) -> str:
    """Format a number: integers as counts, others with four digits."""
    if value is None:
        return ""
    return count(int(value)) if float(value).is_integer() else f"{value:.4f}"


def plain_value(value: object) -> str:
    """Format a value of the settings or of a comparison on one line."""
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
