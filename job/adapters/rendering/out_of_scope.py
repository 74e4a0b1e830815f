"""Requests that belong to no class in words; plain text without markup."""

from __future__ import annotations

from job.adapters.rendering.formatting import count, percent, score
from job.contracts.reports.evaluation import Evaluation

NOT_MEASURED = "What the model says of requests that belong to no class was not measured."


def describe_out_of_scope(evaluation: Evaluation) -> list[str]:
    """Return sentences about the out-of-scope set, the share that is answered first."""
    if evaluation.out_of_scope is None:
        return []
    requests, threshold = evaluation.out_of_scope.requests, evaluation.out_of_scope.threshold
    if requests is None:
        return [NOT_MEASURED]
    answered = requests.answered
    text = (
        f"Requests of no class: {_share(answered.value)} of {count(requests.n_rows)} are "
        f"answered; the {percent(requests.level)} interval goes from {_share(answered.lower)} to "
        f"{_share(answered.upper)}"
    )
    if threshold is None:
        reason = "No decision threshold is published, so that every request counts as answered."
    else:
        reason = f"Answered means a confidence of {score(threshold)} or more."
    return [
        f"{text}.",
        f"{reason} The median confidence is {score(requests.median_confidence)}.",
    ]


def _share(value: float) -> str:
    """Write a share in per cent, with one digit."""
    return f"{100 * value:.1f} %"
