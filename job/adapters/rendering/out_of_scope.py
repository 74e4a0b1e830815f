"""Requests that belong to no class in words; plain text without markup."""

from __future__ import annotations

from typing import Any

from job.adapters.rendering.formatting import count, percent, score
from job.adapters.rendering.intervals import read_interval

NOT_MEASURED = "What the model says of requests that belong to no class was not measured."


def describe_out_of_scope(evaluation: dict[str, Any]) -> list[str]:
    """Return sentences about the out-of-scope set, the share that is answered first."""
    out_of_scope = evaluation.get("out_of_scope")
    if not out_of_scope:
        return []
    requests, threshold = out_of_scope["requests"], out_of_scope["threshold"]
    if requests is None:
        return [NOT_MEASURED]
    answered = requests["answered"]
    ends = read_interval(answered)
    text = (
        f"Requests of no class: {_share(answered['value'])} of {count(requests['n_rows'])} are "
        "answered"
    )
    if ends:
        text += (
            f"; the {percent(requests['level'])} interval goes from {_share(ends.low)} to "
            f"{_share(ends.high)}"
        )
    if threshold is None:
        reason = "No decision threshold is published, so that every request counts as answered."
    else:
        reason = f"Answered means a confidence of {score(threshold)} or more."
    return [
        f"{text}.",
        f"{reason} The median confidence is {score(requests['median_confidence'])}.",
    ]


def describe_empty(evaluation: dict[str, Any]) -> dict[str, Any] | None:
    """Return class, confidence and verdict of the empty request; None if it was not evaluated."""
    out_of_scope = evaluation.get("out_of_scope")
    return None if not out_of_scope else dict(out_of_scope["empty"])


def _share(value: float) -> str:
    """Write a share in per cent, with one digit."""
    return f"{100 * value:.1f} %"
