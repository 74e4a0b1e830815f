"""Decide which predictions are answers, by the decision threshold of a version.

The rule is that of `docs/consumers.md`: without a threshold, all predictions are answers if they
were shown to reach the target precision, and none otherwise.
"""

from __future__ import annotations

import numpy as np

from job.contracts.arrays import Array, Ints, Mask
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.predictions import AnswerRule


def read_rule(metadata: Metadata) -> AnswerRule:
    """Return the rule of a version."""
    decision = metadata.decision
    if decision is None:
        reason = "no target precision was set (decision.target_precision)"
        return AnswerRule(threshold=None, status=None, reason=reason)
    return AnswerRule(threshold=decision.threshold, status=decision.status, reason=decision.reason)


def choose_labels(proba: Array) -> tuple[Ints, Array]:
    """Return the position of the most probable class of each row, and its probability."""
    # NOTE: the probabilities of a constant model may add up to slightly more than 1
    return proba.argmax(axis=1), np.minimum(proba.max(axis=1), 1.0)


def find_answers(rule: AnswerRule, confidence: Array) -> Mask:
    """Return a mask of the predictions that are answers; the confidence of others may be NaN."""
    if rule.threshold is None and rule.status != "not_needed":
        return np.zeros(len(confidence), np.bool_)
    is_answered: Mask = confidence >= (rule.threshold or 0.0)
    return is_answered
