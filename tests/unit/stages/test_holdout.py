"""Whole families are held out, and each class has its share of them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job.contracts.dataset import Rows
from job.contracts.specs import SplitSpec
from job.stages.holdout import hold_out
from job.stages.keys import is_held_out


def rows_of(y, keys, families=None):
    keys = np.array(keys, dtype=object)
    return Rows(
        y=np.array(y, dtype=object),
        keys=keys,
        text_keys=keys,
        text=None,
        embeddings=None,
        frame=pd.DataFrame(index=range(len(y))),
        families=None if families is None else np.array(families),
    )


def held_out(rows, folds=3, **spec):
    is_test, n_dealt = hold_out(rows, SplitSpec(**spec), folds, 0)
    return is_test, n_dealt


def test_side_of_single_texts_follows_from_their_key_alone():
    """As before there were families, and as a champion of that time was split."""
    keys = [f"text:{n}" for n in range(2000)]
    rows = rows_of(["ab"[n % 2] for n in range(2000)], keys, range(2000))

    assert is_held_out(keys, "pcc", 0.2).tolist() == held_out(rows)[0].tolist()


@pytest.mark.parametrize("method", ["hash", "stratified_group"])
@given(st.data())
@settings(max_examples=30, deadline=None)
def test_no_family_is_on_both_sides(method, data):
    """Whatever the classes of its rows."""
    families = [*range(31), *data.draw(st.lists(st.integers(0, 30), min_size=20, max_size=90))]
    rng = np.random.default_rng(0)
    rows = rows_of(
        rng.choice(["a", "b"], len(families)), [f"k{n}" for n in range(len(families))], families
    )
    is_test, _ = held_out(rows, method=method)

    assert set() == {*rows.families[is_test]} & {*rows.families[~is_test]}


def test_large_families_are_held_out_as_often_as_small_ones():
    """The side does not follow from the least of many digests."""
    families = np.repeat(np.arange(3000), 6)
    rows = rows_of(["a", "b"] * 9000, [f"k{n}" for n in range(18_000)], families)
    is_test, _ = held_out(rows)

    assert abs(is_test.mean() - 0.2) < 0.025


def test_new_row_of_a_family_mostly_leaves_it_where_it_is():
    """Another member stands for it once in as many times as it then has."""
    families = np.repeat(np.arange(2000), 4)
    keys = [f"k{n}" for n in range(8000)]
    rows = rows_of(["a", "b"] * 4000, keys, families)
    grown = rows_of(
        ["a", "b"] * 5000,
        [*keys, *(f"new{n}" for n in range(2000))],
        [*families, *range(2000)],
    )
    moved = held_out(rows)[0][::4] != held_out(grown)[0][:8000:4]

    assert 0.03 < moved.mean() < 0.1  # .2 of them are drawn anew, .32 of those move


@pytest.mark.parametrize("salt", range(30))
def test_class_of_few_families_is_on_both_sides(salt):
    """Whatever the salt; and enough of them are left for the folds."""
    families = [*range(1000), *np.repeat(range(1000, 1004), 25)]
    rows = rows_of(
        ["ab"[n % 2] for n in range(1000)] + ["few"] * 100,
        [f"k{n}" for n in range(1100)],
        families,
    )
    is_test, _ = held_out(rows, salt=str(salt))
    few = rows.y == "few"

    assert 1 == len(set(rows.families[few & is_test]))
    assert 3 == len(set(rows.families[few & ~is_test]))


def test_class_that_is_dealt_anew_keeps_near_to_its_share():
    """Families that would overshoot it are passed over."""
    sizes = [80, 20, 10, 5, 3, 2]
    families = np.repeat(range(1000, 1006), sizes)
    rows = rows_of(
        ["ab"[n % 2] for n in range(1000)] + ["few"] * 120,
        [f"k{n}" for n in range(1120)],
        [*range(1000), *families],
    )
    shares = []
    for salt in range(200):
        is_test, n_dealt = held_out(rows, salt=str(salt))
        if n_dealt:
            shares.append(is_test[rows.y == "few"].mean())

    assert len(shares) > 20
    assert 0 < min(shares) <= max(shares) <= 0.2


def test_dealing_anew_moves_no_other_class():
    """The others keep the side that their hash gives them."""
    keys = [f"k{n}" for n in range(1000)]
    rows = rows_of(["ab"[n % 2] for n in range(1000)], keys)
    more = rows_of([*rows.y, "c", "c"], [*keys, "c0", "c1"])
    dealt = [salt for salt in map(str, range(20)) if held_out(more, salt=salt)[1]]

    assert dealt
    for salt in dealt:
        expected = is_held_out(keys, salt, 0.2)
        assert expected.tolist() == held_out(more, salt=salt)[0][:1000].tolist()


def test_class_of_one_family_cannot_be_dealt():
    """It stays whole; the split says so."""
    rows = rows_of(["a"] * 50 + ["b"] * 50, [f"k{n}" for n in range(100)], [*range(50), *[50] * 50])
    is_test, n_dealt = held_out(rows)

    assert (1, 0) == (len(set(is_test[50:])), n_dealt)
