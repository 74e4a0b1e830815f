"""Learn the decision threshold on the challenge set, and measure it on other requests of the set.

How it works
------------
1. The published model was not trained on any of the requests, so its predictions show how reliable
   the model's confidence is on requests that people wrote.  `choose_threshold` selects the lowest
   threshold for which the precision of the answers is shown to reach the target.
2. If the set is halved, the threshold is chosen on one half and measured on the other.
3. Otherwise the threshold is chosen on all requests.  To measure its effect, the requests are cut
   into five folds of whole groups, and each fold is answered with a threshold chosen on the other
   four.
4. If no threshold is shown to reach the target, the reason states how many requests are needed.
   Let the target be p, at confidence 1 - a.  If all n answers are right, the target is shown if
   p**n <= a.  If a share q of n answers is right, the target is shown if Clopper and Pearson's
   lower bound of q reaches p.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.stats import beta

from job.contracts.arrays import Array
from job.contracts.messages import pluralize
from job.contracts.reports.decision_threshold import Decision, Threshold
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions
from job.stages.training.decision_threshold import (
    choose_threshold,
    choose_thresholds_by_fold,
    measure_abstention,
)

N_FOLDS: Final = 5
_MAX_NEEDED: Final = 10_000


def learn_threshold(
    predictions: Predictions, groups: Array, decision: DecisionSpec, evaluation: EvaluationSpec
) -> Threshold:
    """Choose the threshold on requests of the challenge set.

    Parameters
    ----------
    predictions
        The published model's predictions of requests that the model was not trained on.
    groups
        Group id of each request, shape (n_rows,).
    """
    chosen = choose_threshold(predictions, groups, decision, evaluation)
    reason = chosen.reason
    if chosen.status == "not_shown":
        reason = _explain_absence(predictions, chosen, evaluation.confidence)
    return replace(chosen, reason=reason, learned_on="challenge")


def withhold_threshold(threshold: Threshold) -> Threshold:
    """Return a copy of `threshold` without a value.

    Call this if the same requests were used to choose the candidate.  The candidate's precision on
    these requests is then too optimistic to choose a threshold.
    """
    return replace(
        threshold,
        value=None,
        status="not_shown",
        reason="The same requests have chosen the candidate, so they cannot show its precision; "
        "evaluation.challenge_split=half keeps one half for that.",
    )


def measure_threshold(
    threshold: Threshold,
    predictions: Predictions,
    bootstrap: GroupBootstrap,
    *,
    fold: Array | None,
    decision: DecisionSpec,
    evaluation: EvaluationSpec,
) -> Decision:
    """Measure coverage and precision on requests that the threshold was not chosen on.

    Parameters
    ----------
    predictions, bootstrap
        Predictions and bootstrap of the evaluation half of the challenge set.  If the set is not
        halved, those of the complete set.
    fold
        Fold of each request, shape (n_rows,); None if the set is halved.
    """
    row_thresholds = None
    if fold is not None and threshold.value is not None:
        row_thresholds = choose_thresholds_by_fold(
            predictions, bootstrap.groups, fold, decision, evaluation
        )
    return measure_abstention(predictions, bootstrap, threshold, least=row_thresholds)


def count_needed_answers(target: float, confidence: float, share: float = 1.0) -> int | None:
    """Return how many answers are needed to show, at `confidence`, a precision of `target`.

    Parameters
    ----------
    share
        Expected share of correct answers.

    Returns
    -------
    n_answers
        None if `share` is not above `target`, or if more than 10,000 answers would be needed.
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
    """Return Clopper and Pearson's one-sided lower confidence bound of a share, from n trials."""
    return float(beta.ppf(1 - confidence, share * n, (1 - share) * n + 1))


def _explain_absence(predictions: Predictions, chosen: Threshold, confidence: float) -> str:
    """Return a sentence that says why there is no threshold and how many requests are needed.

    The sentence states two numbers of requests: the number needed if no answer is wrong, and the
    number needed with the precision that was measured on this set.
    """
    target = chosen.target_precision
    n_errorless = count_needed_answers(target, confidence)
    text = (
        f"{pluralize(chosen.n_rows, 'request')} of the challenge set do not show a precision of "
        f"{target:.0%} with {confidence:.0%} confidence at any threshold: {n_errorless} answers "
        "without an error are needed, and more with errors"
    )
    needed = _count_needed_requests(predictions, target, confidence)
    if needed is None:
        return f"{text}. On this set, the precision hardly reaches {target:.0%} at any confidence."
    n_requests, share, coverage = needed
    return (
        f"{text}. About {n_requests} requests are needed if {share:.1%} of the {coverage:.0%} "
        "with the highest confidence are right, as on this set."
    )


def _count_needed_requests(
    predictions: Predictions, target: float, confidence: float
) -> tuple[int, float, float] | None:
    """Return the minimum number of requests with which a threshold could reach the target.

    The precision and coverage of this threshold are also returned.  The result is None if no
    threshold is precise enough.

    Only thresholds that answer at least a quarter of the requests are considered, because the
    precision of few answers is too uncertain.
    """
    order = np.argsort(-predictions.proba.max(axis=1), kind="stable")
    is_right = (predictions.y_pred == predictions.y_true)[order]
    n_answered = np.arange(1, len(order) + 1)
    shares = np.cumsum(is_right) / n_answered
    best: tuple[int, float, float] | None = None
    for n in range(max(len(order) // 4, 1) - 1, len(order)):
        n_needed = count_needed_answers(target, confidence, float(shares[n]))
        if n_needed is None:
            continue
        coverage = float(n_answered[n]) / len(order)
        n_requests = math.ceil(n_needed / coverage)
        if best is None or n_requests < best[0]:
            best = (n_requests, float(shares[n]), coverage)
    return best
