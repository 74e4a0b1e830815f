"""Compare a candidate with a model that always predicts the most frequent class.

How it works
------------
1. Both models are compared by macro recall, the mean of the classes' recalls.  Any model whose
   predictions do not depend on the true class, even one that guesses at random, has an expected
   macro recall of 1 / n_classes.  By accuracy or macro F1, such a model can beat the one that
   always predicts the majority class.
2. The difference has the interval of the paired bootstrap over groups.  The candidate is better if
   the lower end is above 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.metrics import METRICS
from job.contracts.reports.gate import Criterion
from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import round_published
from job.contracts.settings.gate import PairedSpec
from job.stages.gate.paired_bootstrap import compare_pair
from job.stages.metrics.predictions import Predictions

_MIN_GROUPS: Final = 2  # of a class


def compare_with_majority(
    predictions: Predictions, groups: Array, spec: PairedSpec
) -> Interval | None:
    """Return the candidate's macro recall minus that of the majority class, with its interval.

    Classes with fewer than two groups are left out.  Return None if fewer than two classes remain.

    Parameters
    ----------
    predictions
        The candidate's predictions of rows that are new to it.
    groups
        Group of each row, shape (n_rows,).
    """
    # NOTE: the bootstrap over groups has no variance in a class of one group
    pairs = np.unique(np.stack([predictions.y_true, groups]), axis=1)
    n_groups = np.bincount(pairs[0], minlength=len(predictions.classes))
    is_used = (n_groups >= _MIN_GROUPS)[predictions.y_true]
    predictions, groups = predictions.take(is_used), groups[is_used]
    if len(np.unique(predictions.y_true)) < 2:
        return None
    most_frequent = np.bincount(predictions.y_true, minlength=len(predictions.classes)).argmax()
    constant = replace(
        predictions,
        proba=np.ones((len(predictions.y_true), 1)),
        model_classes=np.array([most_frequent]),
    )
    spec = spec.model_copy(update={"metric": METRICS["recall_macro"]})
    return compare_pair(constant, predictions, groups, spec).interval


def judge_majority(difference: Interval | None) -> Criterion:
    """Return the criterion that the candidate is better than the majority class."""
    lower = upper = value = None
    measured = "not measured"
    if difference is not None:
        value, lower, upper = map(
            round_published, (difference.value, difference.lower, difference.upper)
        )
        measured = f"{value:+.4f} (interval {lower:+.4f} to {upper:+.4f})"
    is_met = lower is not None and lower > 0
    shown = "shown" if is_met else "not shown"
    return Criterion(
        name="better_than_majority",
        value=value,
        threshold=0,
        is_met=is_met,
        is_binding=True,
        reason=f"{shown} to be better than the majority class: macro recall {measured}, required: "
        "above 0",
        lower=lower,
        upper=upper,
    )
