"""Folds consist of whole groups with similar class shares, for any number of groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job.stages.split.folds import cut_folds


@pytest.fixture(autouse=True)
def many(monkeypatch):
    """Deal all groups to the folds, even if there are few."""
    monkeypatch.setattr("job.stages.split.folds._MAX_STRATIFIED_GROUPS", 0)


@settings(max_examples=50, deadline=None)
@given(
    groups=st.lists(st.integers(0, 40), min_size=20, max_size=120),
    n_folds=st.integers(2, 5),
    seed=st.integers(0, 9),
)
def test_groups_are_whole_and_each_row_is_tested_once(groups, n_folds, seed):
    """This is the definition of folds."""
    groups, y = np.array(groups), np.arange(len(groups)) % 3
    folds = cut_folds(y, groups, n_folds, seed)

    assert list(range(len(groups))) == sorted(
        np.concatenate([test_index for _, test_index in folds])
    )
    for train_index, test_index in folds:
        assert set(groups[train_index]).isdisjoint(groups[test_index])
        assert len(groups) == len(train_index) + len(test_index)


def test_class_shares_are_even():
    """Each class is dealt in turn, so folds differ by at most one of its groups."""
    y = np.repeat(np.arange(4), [10, 23, 57, 110])
    folds = cut_folds(y, np.arange(200), 5, 0)
    counts = np.array([np.bincount(y[test_index], minlength=4) for _, test_index in folds])

    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()


def test_large_groups_are_dealt_before_small_ones():
    """Thus no fold gets two large groups."""
    groups = np.concatenate([np.repeat(np.arange(5), 50), np.arange(100, 200)])
    folds = cut_folds(np.zeros(350, int), groups, 5, 0)

    assert [70] * 5 == [len(test_index) for _, test_index in folds]


def test_group_has_the_class_of_most_of_its_rows():
    """A group with two classes is dealt with one of them."""
    groups = np.repeat(np.arange(40), 3)
    y = np.tile([0, 1, 1], 40)
    y[:60] = 0
    folds = cut_folds(y, groups, 4, 0)

    assert [(15, 5)] * 4 == [(len(set(groups[a])) // 2, len(set(groups[b])) // 2) for a, b in folds]


def test_seed_decides():
    """The same seed gives the same folds, and another seed other folds."""
    y, groups = np.arange(300) % 3, np.arange(300)
    first, again, other = (cut_folds(y, groups, 3, seed)[0][1].tolist() for seed in (1, 1, 2))

    assert first == again != other


def test_order_of_rows_within_a_group_does_not_matter():
    """A fold is a set of groups."""
    groups = np.arange(300) // 2
    y = np.arange(300) // 2 % 3
    flipped = np.arange(300).reshape(-1, 2)[:, ::-1].ravel()
    one, two = cut_folds(y, groups, 3, 0), cut_folds(y[flipped], groups[flipped], 3, 0)

    assert [set(groups[b]) for _, b in one] == [set(groups[flipped][b]) for _, b in two]


def test_large_groups_of_all_classes_are_not_in_one_fold():
    """Each class starts with the smallest fold."""
    n_rows = np.tile([1000, *[1] * 999], 5)
    groups = np.repeat(np.arange(5000), n_rows)
    y = np.repeat(np.repeat(np.arange(5), 1000), n_rows)
    folds = cut_folds(y, groups, 5, 0)

    assert max(len(test_index) for _, test_index in folds) <= 2100


@pytest.mark.parametrize("most", [0, 1])
def test_class_of_a_group_is_that_of_most_of_its_rows_whichever_it_is(most):
    """Every fold gets the same number of groups of each majority class."""
    groups = np.repeat(np.arange(40), 3)
    y = np.tile([most, most, 1 - most], 40)
    y[60:] = 1 - y[60:]
    folds = cut_folds(y, groups, 4, 0)
    majority = np.array([np.bincount(y[groups == key], minlength=2).argmax() for key in range(40)])

    assert [5] * 4 == [
        int(majority[np.unique(groups[test_index])].sum()) for _, test_index in folds
    ]
