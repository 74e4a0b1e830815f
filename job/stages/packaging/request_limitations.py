"""Find limitations in the scores on the challenge set and the out-of-scope set."""

from __future__ import annotations

from collections.abc import Iterator

from job.contracts.messages import pluralize
from job.contracts.reports.evaluation import Evaluation
from job.stages.split.challenge_halves import MIN_CLASS_ROWS, MIN_ROWS


def find_in_challenge(evaluation: Evaluation) -> Iterator[str]:
    """Yield a sentence for each finding that weakens the scores on the challenge set."""
    challenge = evaluation.challenge
    if challenge is None:
        return
    n_rows, n_smallest = challenge.n_rows, challenge.n_smallest_class
    if n_rows < MIN_ROWS or n_smallest < MIN_CLASS_ROWS:
        yield (
            f"The challenge set is small: {pluralize(n_rows, 'evaluated request')}, {n_smallest} "
            "in the smallest class."
        )
    interval = challenge.intervals.scores["accuracy"]
    table_accuracy = evaluation.scores["accuracy"]
    if interval.upper < table_accuracy:
        yield (
            f"Wording: the accuracy is {interval.value:.4f} on the challenge set (upper bound "
            f"{interval.upper:.4f}), but {table_accuracy:.4f} on the rows of the table."
        )
    if challenge.is_used_up:
        yield (
            "The challenge set has chosen the candidate: its scores on the set are too high, and "
            "the set is used up for evaluation."
        )


def find_out_of_scope(evaluation: Evaluation) -> Iterator[str]:
    """Yield sentences about the share of out-of-scope requests that the model answers."""
    out_of_scope, decision = evaluation.out_of_scope, evaluation.decision
    requests = None if out_of_scope is None else out_of_scope.requests
    if out_of_scope is None or requests is None:
        yield "How the model handles requests that belong to no class was not measured."
        return
    share, rows = requests.answered.value, pluralize(requests.n_rows, "request")
    if out_of_scope.threshold is None:
        yield (
            f"Requests of no class: all of {rows} are answered, because there is no decision "
            "threshold."
        )
    elif decision is not None and share > 1 - decision.target_precision:
        yield (
            f"Requests of no class: {share:.4f} of {rows} are answered at the decision threshold, "
            "whose precision is shown only for requests of the model's classes."
        )
