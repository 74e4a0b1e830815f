"""A candidate must be better than a model that always predicts the most frequent class."""

import numpy as np
import pytest

from job.contracts.metrics import METRICS
from job.contracts.settings.gate import PairedSpec
from job.stages.gate.majority import compare_with_majority, judge_majority
from job.stages.metrics.predictions import Predictions

SPEC = PairedSpec(metric=METRICS["f1_macro"], alpha=0.05, resamples=300, random_state=0)


def predict(sizes, rng, skill=0.0):
    """Predictions that are right with probability `skill`, and otherwise do not look at the row."""
    y_true = np.repeat(np.arange(len(sizes)), sizes)
    guess = rng.integers(len(sizes), size=len(y_true))
    y_pred = np.where(rng.random(len(y_true)) < skill, y_true, guess)
    return Predictions(
        classes=tuple(f"c{n:02}" for n in range(len(sizes))),
        y_true=y_true,
        proba=np.eye(len(sizes))[y_pred],
        model_classes=np.arange(len(sizes)),
    )


def is_accepted(predictions, groups=None):
    groups = np.arange(len(predictions.y_true)) if groups is None else groups
    return judge_majority(compare_with_majority(predictions, groups, SPEC)).is_met


@pytest.mark.parametrize("sizes", [(100,) * 4, (200,) + (5,) * 10, (100,) + (1,) * 40])
def test_coin_is_rarely_accepted(sizes):
    """Also if classes have one group, whose resamples are all equal."""
    rng = np.random.default_rng(1)
    n_accepted = sum(is_accepted(predict(sizes, rng)) for _ in range(100))

    assert n_accepted <= 13  # 5 % of 100 are 5; 14 or more have a probability of .1 %


@pytest.mark.parametrize("sizes", [(100,) * 4, (300, 30, 30)])
def test_useful_model_is_accepted(sizes):
    """Also if its accuracy is not above that of a lopsided majority."""
    rng = np.random.default_rng(2)

    assert is_accepted(predict(sizes, rng, skill=0.5))


def test_nothing_is_shown_by_one_group_per_class():
    rng = np.random.default_rng(3)
    predictions = predict((50, 50), rng, skill=1.0)

    difference = compare_with_majority(predictions, predictions.y_true, SPEC)

    assert difference is None
    assert "not measured" in judge_majority(difference).reason
