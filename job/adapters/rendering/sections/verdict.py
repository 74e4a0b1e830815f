"""The head of the page: the decision, its reasons, and the headline numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from job.adapters.rendering.challenge import describe_challenge
from job.adapters.rendering.formatting import count, metric_name, score
from job.adapters.rendering.methods import HOLDS_FOR, describe_scores
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.intervals import Interval
from job.contracts.reports.metadata import Metadata

_ALWAYS: Final = ("accuracy", "f1_macro", "log_loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A formatted headline number; `is_chosen_by` marks the metric of the search."""

    name: str
    value: str
    interval: str
    is_chosen_by: bool


def head_of_page(evaluation: Evaluation) -> Mapping[str, object]:
    """Return the values for the head of the page, such as `reasons` and `numbers`."""
    criteria = evaluation.gate.criteria
    return {
        "is_accepted": evaluation.gate.is_accepted,
        "override": evaluation.gate.override,
        "reasons": evaluation.gate.reasons,
        "warnings": [c.reason for c in criteria if not c.is_met and not c.is_binding],
        "champion": next((c.reason for c in criteria if c.name == "champion"), None),
        "method": " ".join(
            [*describe_challenge(evaluation), describe_scores(evaluation), HOLDS_FOR]
        ),
        "numbers": _list_numbers(evaluation),
    }


def _list_numbers(evaluation: Evaluation) -> list[Number]:
    """Return the accuracy on the challenge set, then the scores on the table's rows."""
    metric, challenge = evaluation.search.metric, evaluation.challenge
    scores, intervals = evaluation.scores, evaluation.intervals.scores
    names = [name for name in dict.fromkeys((metric, *_ALWAYS)) if name in scores]
    numbers = [
        _number(name, scores[name], intervals.get(name), is_chosen_by=name == metric)
        for name in names
    ]
    if challenge is None:
        return numbers
    interval = challenge.intervals.scores.get("accuracy")
    return [_number("challenge_accuracy", challenge.scores["accuracy"], interval), *numbers]


def _number(
    name: str, value: float, interval: Interval | None, *, is_chosen_by: bool = False
) -> Number:
    return Number(
        name=metric_name(name),
        value=score(value),
        interval=f"{score(interval.lower)} to {score(interval.upper)}" if interval else "",
        is_chosen_by=is_chosen_by,
    )


def describe_model(metadata: Metadata) -> str:
    """Return a sentence that describes the trained model."""
    name = metadata.classifier.replace("_", " ").capitalize()
    trained = count(metadata.trained_on.n_train)
    kind = {"embeddings": "embeddings", "text": "texts"}.get(metadata.input.kind, "rows")
    return f"{name} on {kind}, trained on {trained} rows."
