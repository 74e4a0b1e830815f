"""Learn the decision threshold on the challenge set, and measure it on other requests of it.

How it works
------------
1. The published model was trained on none of the requests, so its predictions of them show how sure
   it may be of people's own words. `choose_threshold` takes the least confidence at which their
   precision is shown to reach the target.
2. Where the set is halved, the choosing half learns and the judging half measures.
3. Otherwise all requests learn, and each of five folds (whole families) is answered by the
   threshold that the other four choose.
4. Where no threshold is shown, the reason says how many requests it takes: without any error n
   answers show a precision p with confidence 1 - a where p**n <= a; with errors, as many as make
   Clopper and Pearson's lower bound of the precision at hand reach the target.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from scipy.stats import beta

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.reports.decision_threshold import AbstentionReport, Threshold
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.stages.metrics.predictions import Predictions
from job.stages.split.challenge_halves import cut_folds_of_requests
from job.stages.training.decision_threshold import (
    choose_across,
    choose_threshold,
    measure_abstention,
)

Array = np.ndarray[Any, Any]
N_FOLDS: Final = 5
_MAX_NEEDED: Final = 10_000


def learn_threshold(
    found: Predictions, groups: Array, decision: DecisionSpec, evaluation: EvaluationSpec
) -> Threshold:
    """Return the threshold that these requests choose.

    Parameters
    ----------
    found
        The published model's predictions of requests that it was not trained on.
    groups
        Family of each request, shape (n_rows,).
    """
    chosen = choose_threshold(found, groups, decision, evaluation)
    reason = chosen.reason
    if chosen.status == "not_shown":
        reason = _explain_absence(found, chosen, evaluation.confidence)
    return replace(chosen, reason=reason, learnt_on="challenge")


def withhold_threshold(threshold: Threshold) -> Threshold:
    """Return no threshold: requests that chose the candidate cannot show its precision."""
    return replace(
        threshold,
        value=None,
        status="not_shown",
        reason="The same requests have chosen the candidate, so they cannot show how sure it may "
        "be; evaluation.challenge_split=half keeps a half for that.",
    )


def measure_threshold(
    threshold: Threshold,
    found: Predictions,
    rows: Rows,
    *,
    is_halved: bool,
    decision: DecisionSpec,
    evaluation: EvaluationSpec,
    salt: str,
    random_state: int,
) -> AbstentionReport:
    """Measure coverage and precision on requests that did not choose the threshold.

    Parameters
    ----------
    found, rows
        Of the judging half, or of the whole set, which is then cut into folds.
    salt
        Of the hash that cuts the folds.
    """
    least = None
    if not is_halved and threshold.value is not None:
        fold = cut_folds_of_requests(rows, N_FOLDS, salt)
        least = choose_across(found, rows.groups, fold, decision, evaluation)
    return measure_abstention(found, rows.groups, threshold, evaluation, random_state, least=least)


def count_needed(target: float, confidence: float, share: float = 1.0) -> int | None:
    """Return the least number of answers whose precision is shown to reach the target.

    Parameters
    ----------
    share
        Of the answers that are right; 1 is the least number that any set can do with.

    Returns
    -------
    n
        None where the share is not above the target, or hardly: then no number is enough.
    """
    if share >= 1:
        return math.ceil(math.log(1 - confidence) / math.log(target))
    low, high = 1, _MAX_NEEDED
    if share <= target or _lower_bound(share, high, confidence) < target:
        return None
    while low < high:
        middle = (low + high) // 2
        if _lower_bound(share, middle, confidence) >= target:
            high = middle
        else:
            low = middle + 1
    return low


def _lower_bound(share: float, n: int, confidence: float) -> float:
    """Return Clopper and Pearson's one-sided lower bound of a share."""
    return float(beta.ppf(1 - confidence, share * n, (1 - share) * n + 1))


def _explain_absence(found: Predictions, chosen: Threshold, confidence: float) -> str:
    """Return how many requests a threshold takes, without errors and with those at hand."""
    target = chosen.target_precision
    n_least = count_needed(target, confidence)
    text = (
        f"{pluralize(chosen.n_rows, 'request')} of the challenge set show a precision of "
        f"{target:.0%} with {confidence:.0%} confidence at no threshold: that takes {n_least} "
        "answers without an error, and more with errors"
    )
    needed = _count_needed_requests(found, target, confidence)
    if needed is None:
        return f"{text}; here the answers hardly reach {target:.0%} at any confidence."
    n_requests, share, coverage = needed
    return (
        f"{text}; about {n_requests} requests if {share:.1%} of the surest {coverage:.0%} stay "
        "right, as here."
    )


def _count_needed_requests(
    found: Predictions, target: float, confidence: float
) -> tuple[int, float, float] | None:
    """Return how many requests the best of all thresholds would take, its precision and coverage.

    Where a threshold answers few requests, their precision says little; only those that answer a
    quarter of them or more are looked at.
    """
    order = np.argsort(-found.proba.max(axis=1), kind="stable")
    is_right = (found.y_pred == found.y_true)[order]
    n_answered = np.arange(1, len(order) + 1)
    shares = np.cumsum(is_right) / n_answered
    best: tuple[int, float, float] | None = None
    for n in range(max(len(order) // 4, 1) - 1, len(order)):
        n_needed = count_needed(target, confidence, float(shares[n]))
        if n_needed is None:
            continue
        coverage = float(n_answered[n]) / len(order)
        n_requests = math.ceil(n_needed / coverage)
        if best is None or n_requests < best[0]:
            best = (n_requests, float(shares[n]), coverage)
    return best
