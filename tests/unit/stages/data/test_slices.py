"""Rows fall into slices, and no value that few rows hold keeps its name."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.datasets import table_of

from job.contracts.dataset import Column
from job.stages.data.slices import MISSING, OTHER, DisclosureRule, make_slices

RULE = DisclosureRule(min_rows=4, min_groups=2)
KINDS = {"categorical": "string", "boolean": "boolean", "text": "string", "timestamp": "timestamp"}
NO_TIME = np.iinfo(np.int64).min


def dataset_of(**columns):
    """Give a table of columns that are named after their role."""
    made = tuple(
        Column(name=role, role=role, kind=KINDS[role], values=np.asarray(values))
        for role, values in columns.items()
    )
    return table_of(made)


def slices_of(values, role="categorical", *, keys=None, index=None, rule=RULE):
    if role != "boolean" and role != "timestamp":
        values = np.array(values, dtype=object)
    index = np.arange(len(values)) if index is None else index
    keys = [f"k{n}" for n in range(len(index))] if keys is None else keys
    found = make_slices(dataset_of(**{role: values}), index, keys, (role,), rule)
    return found[role].tolist()


def test_values_that_many_rows_hold_are_slices_by_their_names():
    """And rows without one are a slice of their own."""
    assert ["a", "a", "a", "a", MISSING] == slices_of(["a", "a", "a", "a", None])


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5)), min_size=1, max_size=60))
def test_value_is_named_only_if_enough_rows_and_keys_hold_it(cells):
    """A person's row, and its copies under one key, name nothing."""
    values, keys = zip(*cells, strict=True)
    found = slices_of(values, keys=[f"k{key}" for key in keys])
    n_rows, n_keys = Counter(values), Counter(value for value, _ in set(cells))
    expected = [v if n_rows[v] >= 4 and n_keys[v] >= 2 else OTHER for v in values]

    assert expected == found


def test_column_of_many_values_names_none():
    """Its values are data, not schema, however many rows hold each."""
    assert {OTHER} == set(slices_of([f"v{n % 51}" for n in range(510)]))
    assert {f"v{n}" for n in range(50)} == set(slices_of([f"v{n % 50}" for n in range(500)]))


def test_column_of_prose_names_none():
    """A value as long as a sentence is no name."""
    assert {OTHER} == set(slices_of(["a", "x" * 61] * 10))


def test_categories_are_those_named_and_no_others():
    """What is pooled does not hide among the categories, either."""
    values = np.array(["a"] * 4 + ["canary"], dtype=object)
    found = make_slices(
        dataset_of(categorical=values), np.arange(5), list("vwxyz"), ("categorical",), RULE
    )

    assert ["a", OTHER, MISSING] == found["categorical"].cat.categories.tolist()


def test_value_that_is_called_like_a_pool_is_in_it():
    """Two slices of one name would be worse."""
    assert {OTHER} == set(slices_of([OTHER] * 4 + ["b"]))


def test_truth_values_have_the_spelling_of_the_table():
    """NaN is neither."""
    values = np.array([1, 1, 1, 1, 0, 0, 0, 0, np.nan], np.float32)

    assert ["true"] * 4 + ["false"] * 4 + [MISSING] == slices_of(values, "boolean")


@given(st.lists(st.integers(0, 40), min_size=1, max_size=80))
def test_texts_fall_into_bands_by_length(lengths):
    """Longer texts never fall into an earlier band, and at most four have names."""
    rule = DisclosureRule(min_rows=1, min_groups=1)
    found = slices_of(["x" * n for n in lengths], "text", rule=rule)
    bands = {}
    for n, name in zip(lengths, found, strict=True):
        bands.setdefault(name, []).append(n)
    assert [0] * lengths.count(0) == bands.pop(MISSING, [])
    ordered = sorted(bands.items(), key=lambda band: min(band[1]))

    assert len(ordered) <= 4
    for (_, shorter), (_, longer) in pairwise(ordered):
        assert max(shorter) < min(longer)


def test_bands_say_where_they_begin_and_end():
    """Quarters of the table; the longest text's length stays unsaid."""
    found = slices_of(["x" * n for n in range(1, 17)], "text")

    expected = ["up to 4 characters", "5 to 8 characters", "9 to 12 characters"]
    assert [*expected, "13 characters or more"] == list(dict.fromkeys(found))


def test_newest_month_stands_against_what_is_older():
    """By the calendar, in UTC; rows without a time are missing."""
    days = ["2026-10-31T23:59:59"] * 4 + ["2026-11-01T00:00:00"] * 4
    moments = np.array([*np.array(days, "datetime64[us]").astype(np.int64), NO_TIME])

    assert ["older"] * 4 + ["2026-11, the newest month"] * 4 + [MISSING] == slices_of(
        moments, "timestamp"
    )


def test_newest_month_of_few_rows_is_not_named():
    """One row of next month would tell when it was written."""
    days = ["2026-10-31"] * 4 + ["2026-11-01"]
    moments = np.array(days, "datetime64[us]").astype(np.int64)

    assert ["older"] * 4 + [OTHER] == slices_of(moments, "timestamp")


def test_slices_are_those_of_the_sound_rows():
    """In their order."""
    found = slices_of(list("abababab"), index=np.array([7, 5, 3, 1]))

    assert ["b"] * 4 == found


def test_slices_take_a_byte_a_row():
    """Tables have a million rows."""
    values = np.array(["a", "b"] * 500, dtype=object)
    keys = [str(n) for n in range(1000)]
    found = make_slices(
        dataset_of(categorical=values), np.arange(1000), keys, ["categorical"], RULE
    )

    assert np.dtype(np.int8) == found["categorical"].cat.codes.dtype
