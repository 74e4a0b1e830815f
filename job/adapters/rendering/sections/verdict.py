"""The head of the page: what was decided, why, and the few numbers that matter most."""

from __future__ import annotations

from typing import Any

from job.adapters.rendering.challenge import describe_challenge
from job.adapters.rendering.formatting import count, metric_name, score
from job.adapters.rendering.intervals import describe_intervals, find_interval
from job.adapters.rendering.methods import HOLDS_FOR, describe_scores

_ALWAYS = ("accuracy", "f1_macro", "log_loss")


def head_of_page(metadata: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any]:
    """Return the verdict with its reasons, and the headline numbers."""
    criteria = evaluation["gate"]["criteria"]
    failed = [c for c in criteria if not c["is_met"]]
    metric = evaluation["search"]["metric"]
    numbers = [_challenge_number(evaluation)] if evaluation.get("challenge") else []
    names = [metric, *(name for name in _ALWAYS if name != metric)]
    return {
        "is_accepted": evaluation["gate"]["is_accepted"],
        "override": evaluation["gate"].get("override"),
        "reasons": [c["reason"] for c in failed if c["is_binding"]],
        "warnings": [c["reason"] for c in failed if not c["is_binding"]],
        "champion": next((c["reason"] for c in criteria if c["name"] == "champion"), None),
        "method": " ".join(
            [*describe_challenge(evaluation), describe_scores(evaluation), HOLDS_FOR]
        ),
        "n_train": metadata["trained_on"]["n_train"],
        "n_test": evaluation["n_test"],
        "n_classes": len(evaluation["classes"]),
        "intervals": describe_intervals(evaluation),
        "numbers": [
            *numbers,
            *(_number(evaluation, name) for name in names if name in evaluation["scores"]),
        ],
    }


def _challenge_number(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Return the accuracy on the challenge set, which comes before the table's own scores."""
    number = _number({**evaluation, **evaluation["challenge"]}, "accuracy")
    return {**number, "name": metric_name("challenge_accuracy"), "is_chosen_by": False}


def _number(evaluation: dict[str, Any], name: str) -> dict[str, Any]:
    interval = find_interval(evaluation, name)
    return {
        "name": metric_name(name),
        "value": score(evaluation["scores"][name]),
        "interval": interval and f"{score(interval.low)} to {score(interval.high)}",
        "is_chosen_by": name == evaluation["search"]["metric"],
    }


def describe_model(metadata: dict[str, Any]) -> str:
    """Return in one sentence what was trained."""
    name = str(metadata["classifier"]).replace("_", " ").capitalize()
    trained = count(metadata["trained_on"]["n_train"])
    kind = {"embeddings": "embeddings", "text": "texts"}.get(metadata["input"]["kind"], "rows")
    return f"{name} on {kind}, trained on {trained} rows."
