"""If there are few groups, the candidate that is right in most of them is chosen."""

import numpy as np
import pytest

from job.contracts.metrics import METRICS
from job.contracts.reports.search import SearchedLabels
from job.stages.training.search.choice import choose


def labels_of(y_true, *y_pred, n_folds=3):
    return SearchedLabels(
        n_classes=2,
        y_true=np.asarray(y_true),
        y_pred=np.stack(y_pred).astype(np.int16),
        fold=(np.arange(len(y_true)) % n_folds).astype(np.int16),
    )


@pytest.fixture
def groups():
    """One group of 60 rows, and 60 groups of one row."""
    return np.concatenate([np.zeros(60, int), np.arange(1, 61)])


def flipped(y, index):
    y = y.copy()
    y[index] = 1 - y[index]
    return y


def test_group_of_many_copies_does_not_choose(groups):
    """One candidate is right on the copies, the other in ten more groups."""
    y = groups % 2
    copies, most = flipped(y, slice(60, 80)), flipped(y, slice(0, 60))
    labels = labels_of(y, copies, most)

    assert 1 == choose(labels, [0, 1], METRICS["accuracy"], groups)


def test_clearly_better_candidate_is_chosen():
    """One standard error does not make up for the difference."""
    groups = np.arange(120)
    y = groups % 2
    labels = labels_of(y, flipped(y, slice(0, 60)), flipped(y, slice(0, 6)))

    assert 1 == choose(labels, [0, 1], METRICS["f1_macro"], groups)


def test_many_groups_leave_the_mean_over_folds_to_choose():
    """scikit-learn's searches choose the same way; the first one wins a tie."""
    y = np.arange(600) % 2
    groups = np.arange(600)
    labels = labels_of(y, flipped(y, [0, 1]), flipped(y, [0]), flipped(y, [3]))

    assert 1 == choose(labels, [0, 1, 2], METRICS["accuracy"], groups)
    assert 2 == choose(labels, [0, 2], METRICS["accuracy"], groups)


def test_rows_that_are_left_out_do_not_count(groups):
    """In a nested choice, the predicted fold has no influence."""
    y = groups % 2
    labels = labels_of(y, flipped(y, slice(60, 80)), flipped(y, slice(100, 110)))
    is_left = np.ones(120, bool)
    is_left[60:80] = False

    assert 1 == choose(labels, [0, 1], METRICS["accuracy"], groups)
    assert 0 == choose(labels, [0, 1], METRICS["accuracy"], groups, is_left)


def test_rows_that_were_not_predicted_do_not_count(groups):
    """The search was cut short."""
    y = groups % 2
    labels = labels_of(y, flipped(y, slice(60, 80)), flipped(y, slice(100, 110)))
    labels.fold[60:80] = -1

    assert 0 == choose(labels, [0, 1], METRICS["accuracy"], groups)


def test_preferred_candidate_is_chosen_within_the_margin():
    """It is wrong in twelve more groups of a hundred, which chance does not explain."""
    groups = np.arange(600)
    y = groups % 2
    labels = labels_of(y, flipped(y, slice(0, 6)), flipped(y, slice(0, 80)))

    assert 1 == choose(labels, [0, 1], METRICS["accuracy"], groups, preferred=[1])
    assert 0 == choose(labels, [0, 1], METRICS["accuracy"], groups)


def test_preferred_candidate_that_is_clearly_worse_is_not_chosen():
    """Its score is beyond the margin."""
    groups = np.arange(600)
    y = groups % 2
    labels = labels_of(y, flipped(y, slice(0, 6)), flipped(y, slice(0, 105)))

    assert 0 == choose(labels, [0, 1], METRICS["accuracy"], groups, preferred=[1])


def test_best_of_the_preferred_ones_is_chosen():
    """Groups decide, as among other candidates."""
    groups = np.arange(600)
    y = groups % 2
    labels = labels_of(y, y, flipped(y, slice(0, 20)), flipped(y, slice(0, 10)))

    assert 2 == choose(labels, [0, 1, 2], METRICS["accuracy"], groups, preferred=[1, 2])
