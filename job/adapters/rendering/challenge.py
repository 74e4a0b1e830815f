"""Sentences about the challenge set, and its scores as table rows; plain text without markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from job.adapters.rendering.formatting import count, metric_name, percent, score
from job.contracts.metrics import METRICS
from job.contracts.reports.challenge import Challenge
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.intervals import Interval

_USES: Final = {"choice": "the candidate", "threshold": "the decision threshold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeScore:
    """A score on the challenge set, with the key and the name of its metric."""

    key: str
    name: str
    value: float
    interval: Interval | None


def describe_challenge(evaluation: Evaluation) -> list[str]:
    """Return sentences about the challenge set, starting with the accuracy and its interval."""
    challenge, decision = evaluation.challenge, evaluation.decision
    if challenge is None:
        return []
    requests = "request" if challenge.n_rows == 1 else "requests"
    groups = "group" if challenge.n_groups == 1 else "groups"
    text = (
        f"On {count(challenge.n_rows)} {requests} of the challenge set in "
        f"{count(challenge.n_groups)} {groups}, none of which was used for training, the published "
        f"model has an accuracy of {score(challenge.scores['accuracy'])}"
    )
    interval = challenge.intervals.scores.get("accuracy")
    if interval:
        text += (
            f" ({percent(challenge.intervals.level)} confidence interval "
            f"{score(interval.lower)} to {score(interval.upper)})"
        )
    is_none_shown = decision is not None and decision.status in ("not_shown", "templates")
    return [f"{text}.", *_describe_use(challenge, is_none_shown=is_none_shown)]


def _describe_use(challenge: Challenge, *, is_none_shown: bool) -> list[str]:
    texts = []
    names = [name for name in challenge.used_for if name != "threshold" or not is_none_shown]
    uses = " and ".join(_USES[name] for name in names)
    if uses and challenge.judged == "half":
        texts.append(f"The other half of the set was used to choose {uses}.")
    elif uses:
        texts.append(f"The same requests were used to choose {uses}.")
    if challenge.is_used_up:
        texts.append(
            "The scores on these requests are therefore too high. Write a new challenge set for "
            "the next evaluation."
        )
    if challenge.n_dropped_from_training:
        n = count(challenge.n_dropped_from_training)
        texts.append(f"Table rows left out because they are near-duplicates of the set: {n}.")
    return texts


def list_challenge_scores(challenge: Challenge) -> list[ChallengeScore]:
    """Return the scores that the report and the model card show, in the order of the pages."""
    return [
        ChallengeScore(
            key=name,
            name=metric_name(name),
            value=challenge.scores[name],
            interval=challenge.intervals.scores.get(name),
        )
        for name, metric in METRICS.items()
        if metric.is_key_metric and name in challenge.scores
    ]
