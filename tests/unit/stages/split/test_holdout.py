"""Whole groups are held out, and each class has its share of them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job.contracts.dataset import Rows
from job.contracts.settings.split import SplitSpec
from job.stages.data.leakage_keys import salted_digests
from job.stages.split.holdout import hold_out


def rows_of(y, keys, near_duplicate_groups=None):
    keys = np.array(keys, dtype=object)
    return Rows(
        y=np.array(y, dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=None,
        frame=pd.DataFrame(index=range(len(y))),
        near_duplicate_groups=None
        if near_duplicate_groups is None
        else np.array(near_duplicate_groups),
    )


def held_out(rows, folds=3, **spec):
    result = hold_out(rows, SplitSpec(**spec), folds, 0)
    return result.is_test, result.n_rebalanced_classes


def shares_of(y, mask):
    return pd.Series(np.asarray(y)[mask]).value_counts(normalize=True)


def test_single_texts_are_held_out_in_the_order_of_their_hash():
    """So a text's side hardly depends on the other texts."""
    keys = [f"text:{n}" for n in range(2000)]
    y = ["ab"[n % 2] for n in range(2000)]
    is_test, _ = held_out(rows_of(y, keys, range(2000)))
    digests = salted_digests("side", keys, "pcc")
    for name in "ab":
        own = np.flatnonzero(np.array(y) == name)
        first = own[np.argsort(digests[own])[:200]]

        assert sorted(first.tolist()) == np.flatnonzero(is_test & (np.array(y) == name)).tolist()


@pytest.mark.parametrize("salt", range(10))
def test_uneven_groups_leave_class_shares_on_both_sides(salt):
    """Each class has about its share of the hold-out, although groups have many rows."""
    sizes = np.random.default_rng(salt).geometric(0.03, 240)
    groups = np.repeat(np.arange(240), sizes)
    y = np.array(list("abcd"), object)[groups % 4]
    is_test, _ = held_out(rows_of(y, [f"k{n}" for n in groups], groups), salt=str(salt))
    difference = shares_of(y, is_test) - shares_of(y, ~is_test)

    assert 0.15 < is_test.mean() < 0.25
    assert difference.abs().max() < 0.06


def test_few_groups_change_sides_when_others_are_new():
    """On average at most 3 % change sides if a tenth of the groups is new."""
    moved = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sizes = rng.geometric(0.03, 240)
        groups = np.repeat(np.arange(240), sizes)
        y = np.array(list("abcd"), object)[groups % 4]
        rows = rows_of(y, [f"k{n}" for n in groups], groups)
        is_old = np.isin(groups, rng.permutation(240)[:218])
        before, _ = held_out(rows.take(is_old), salt=str(seed))
        after = held_out(rows, salt=str(seed))[0][is_old]
        first = np.unique(groups[is_old], return_index=True)[1]
        moved.append((before != after)[first].mean())

    assert 0 < np.mean(moved) <= 0.03


def test_group_of_more_than_an_eighth_of_its_class_is_trained_on():
    """This holds for any hash, and such groups are counted."""
    groups = np.concatenate([np.arange(100), np.repeat(100, 20), np.arange(101, 200)])
    y = ["a"] * 120 + ["b"] * 99
    for salt in map(str, range(20)):
        rows = rows_of(y, [f"k{n}" for n in groups], groups)
        result = hold_out(rows, SplitSpec(salt=salt), 3, 0)

        assert not result.is_test[groups == 100].any()
        assert (1, 20) == (result.n_large_groups, result.n_rows_large_groups)


def test_rows_of_a_class_in_groups_of_others_count():
    """A class with rows in test groups of other classes needs fewer test groups of its own."""
    groups = np.concatenate([np.repeat(np.arange(50), 5), np.arange(50, 150)])
    y = np.array((["a"] * 3 + ["b"] * 2) * 50 + ["b"] * 100, object)
    is_test, _ = held_out(rows_of(y, [f"k{n}" for n in groups], groups))

    assert abs(is_test[y == "b"].mean() - 0.2) < 0.02


@pytest.mark.parametrize("method", ["hash", "stratified_group"])
@given(st.data())
@settings(max_examples=30, deadline=None)
def test_no_group_is_on_both_sides(method, data):
    """This holds whatever the classes of its rows are."""
    near_duplicate_groups = [
        *range(31),
        *data.draw(st.lists(st.integers(0, 30), min_size=20, max_size=90)),
    ]
    rng = np.random.default_rng(0)
    rows = rows_of(
        rng.choice(["a", "b"], len(near_duplicate_groups)),
        [f"k{n}" for n in range(len(near_duplicate_groups))],
        near_duplicate_groups,
    )
    is_test, _ = held_out(rows, method=method)

    assert set() == {*rows.near_duplicate_groups[is_test]} & {*rows.near_duplicate_groups[~is_test]}


def test_large_groups_are_held_out_as_often_as_small_ones():
    """The side is not decided by the smallest of many digests."""
    near_duplicate_groups = np.repeat(np.arange(3000), 6)
    rows = rows_of(["a", "b"] * 9000, [f"k{n}" for n in range(18_000)], near_duplicate_groups)
    is_test, _ = held_out(rows)

    assert abs(is_test.mean() - 0.2) < 0.025


def test_new_row_of_a_group_mostly_leaves_it_where_it_is():
    """Of n members, the new one represents the group with probability 1 / n."""
    near_duplicate_groups = np.repeat(np.arange(2000), 4)
    keys = [f"k{n}" for n in range(8000)]
    more = [*near_duplicate_groups, *range(2000)]
    rows = rows_of(["ab"[n % 2] for n in near_duplicate_groups], keys, near_duplicate_groups)
    grown = rows_of(["ab"[n % 2] for n in more], [*keys, *(f"new{n}" for n in range(2000))], more)
    moved = held_out(rows)[0][::4] != held_out(grown)[0][:8000:4]

    assert 0.03 < moved.mean() < 0.1  # .2 of them are drawn anew, .32 of those move


@pytest.mark.parametrize("salt", range(30))
def test_class_of_few_groups_is_on_both_sides(salt):
    """This holds for any salt, and enough groups remain for the folds."""
    near_duplicate_groups = [*range(1000), *np.repeat(range(1000, 1004), 25)]
    rows = rows_of(
        ["ab"[n % 2] for n in range(1000)] + ["few"] * 100,
        [f"k{n}" for n in range(1100)],
        near_duplicate_groups,
    )
    is_test, _ = held_out(rows, salt=str(salt))
    few = rows.y == "few"

    assert 1 == len(set(rows.near_duplicate_groups[few & is_test]))
    assert 3 == len(set(rows.near_duplicate_groups[few & ~is_test]))


def test_class_within_groups_of_others_is_dealt_anew():
    """A class that is a minority in all its groups still has rows on both sides."""
    groups = np.concatenate([np.arange(200), np.repeat(np.arange(200, 205), 3)])
    y = np.array(["ab"[n % 2] for n in range(200)] + ["a", "a", "few"] * 5, object)
    for salt in map(str, range(20)):
        is_test, n_dealt = held_out(rows_of(y, [f"k{n}" for n in groups], groups), salt=salt)
        few = y == "few"

        assert 1 <= is_test[few].sum() <= 2
        assert n_dealt <= 1


def test_class_of_one_group_cannot_be_rebalanced():
    """Its group stays whole, and the split reports it."""
    rows = rows_of(["a"] * 50 + ["b"] * 50, [f"k{n}" for n in range(100)], [*range(50), *[50] * 50])
    is_test, n_dealt = held_out(rows)

    assert (1, 0) == (len(set(is_test[50:])), n_dealt)
