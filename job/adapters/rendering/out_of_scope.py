"""Sentences about requests that belong to none of the classes; plain text without markup."""

from __future__ import annotations

from job.adapters.rendering.formatting import count, percent, score
from job.contracts.reports.evaluation import Evaluation

NOT_MEASURED = "Predictions for requests that belong to none of the classes were not measured."


def describe_out_of_scope(evaluation: Evaluation) -> list[str]:
    """Return sentences about the out-of-scope set, starting with the share that is answered."""
    if evaluation.out_of_scope is None:
        return []
    requests, threshold = evaluation.out_of_scope.requests, evaluation.out_of_scope.threshold
    if requests is None:
        return [NOT_MEASURED]
    answered = requests.answered
    text = (
        f"Out-of-scope requests: {_share(answered.value)} of {count(requests.n_rows)} are "
        f"answered ({percent(requests.level)} confidence interval {_share(answered.lower)} to "
        f"{_share(answered.upper)})"
    )
    if threshold is None:
        reason = "No decision threshold is published, so every request counts as answered."
    else:
        reason = f"A request is answered if its confidence is at least {score(threshold)}."
    return [
        f"{text}.",
        f"{reason} The median confidence is {score(requests.median_confidence)}.",
    ]


def _share(value: float) -> str:
    """Format a share in percent, with one digit."""
    return f"{100 * value:.1f}%"
