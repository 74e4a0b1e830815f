"""Rows are cut into slices, and rare values are not named."""

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


def make_dataset(**columns):
    """Return a table whose columns are named after their role."""
    made = tuple(
        Column(name=role, role=role, kind=KINDS[role], values=np.asarray(values))
        for role, values in columns.items()
    )
    return table_of(made)


def slice_by(values, role="categorical", *, persons=None, index=None, rule=RULE):
    if role != "boolean" and role != "timestamp":
        values = np.array(values, dtype=object)
    index = np.arange(len(values)) if index is None else index
    persons = np.arange(len(index)) if persons is None else np.array(persons)
    slices = make_slices(make_dataset(**{role: values}), index, persons, (role,), rule)
    return slices[role].tolist()


def test_values_that_many_rows_hold_are_named_slices():
    """Rows without a value form a slice as well."""
    assert ["a", "a", "a", "a", MISSING] == slice_by(["a", "a", "a", "a", None])


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 5)), min_size=1, max_size=60))
def test_value_is_named_only_if_enough_rows_and_persons_hold_it(cells):
    """One person's rows are not enough."""
    values, persons = zip(*cells, strict=True)
    slices = slice_by(values, persons=persons)
    n_rows, n_persons = Counter(values), Counter(value for value, _ in set(cells))
    expected = [v if n_rows[v] >= 4 and n_persons[v] >= 2 else OTHER for v in values]

    assert expected == slices


def test_column_of_many_values_has_no_named_slice():
    """Its values are data, not schema, however many rows each one has."""
    assert {OTHER} == set(slice_by([f"v{n % 51}" for n in range(510)]))
    assert {f"v{n}" for n in range(50)} == set(slice_by([f"v{n % 50}" for n in range(500)]))


def test_column_of_prose_has_no_named_slice():
    """A value as long as a sentence is data, not schema."""
    assert {OTHER} == set(slice_by(["a", "x" * 61] * 10))


def test_categories_are_those_named_and_no_others():
    """A pooled value does not remain as an unused category."""
    values = np.array(["a"] * 4 + ["canary"], dtype=object)
    slices = make_slices(
        make_dataset(categorical=values), np.arange(5), np.arange(5), ("categorical",), RULE
    )

    assert ["a", OTHER, MISSING] == slices["categorical"].cat.categories.tolist()


def test_value_named_like_the_pooled_slice_is_pooled():
    """Otherwise two slices would have the same name."""
    assert {OTHER} == set(slice_by([OTHER] * 4 + ["b"]))


def test_booleans_are_named_true_and_false():
    """NaN is a missing value."""
    values = np.array([1, 1, 1, 1, 0, 0, 0, 0, np.nan], np.float32)

    assert ["true"] * 4 + ["false"] * 4 + [MISSING] == slice_by(values, "boolean")


@given(st.lists(st.integers(0, 40), min_size=1, max_size=80))
def test_texts_fall_into_bands_by_length(lengths):
    """Longer texts never fall into an earlier band, and at most four have names."""
    rule = DisclosureRule(min_rows=1, min_groups=1)
    names = slice_by(["x" * n for n in lengths], "text", rule=rule)
    bands = {}
    for n, name in zip(lengths, names, strict=True):
        bands.setdefault(name, []).append(n)
    assert [0] * lengths.count(0) == bands.pop(MISSING, [])
    ordered = sorted(bands.items(), key=lambda band: min(band[1]))

    assert len(ordered) <= 4
    for (_, shorter), (_, longer) in pairwise(ordered):
        assert max(shorter) < min(longer)


def test_bands_are_named_by_their_ends():
    """They are quartiles of the table; the longest text's length is not disclosed."""
    names = slice_by(["x" * n for n in range(1, 17)], "text")

    expected = ["up to 4 characters", "5 to 8 characters", "9 to 12 characters"]
    assert [*expected, "13 characters or more"] == list(dict.fromkeys(names))


def test_times_are_in_the_newest_month_or_older():
    """Months are calendar months in UTC; rows without a time are missing."""
    days = ["2026-10-31T23:59:59"] * 4 + ["2026-11-01T00:00:00"] * 4
    moments = np.array([*np.array(days, "datetime64[us]").astype(np.int64), NO_TIME])

    assert ["older"] * 4 + ["2026-11, the newest month"] * 4 + [MISSING] == slice_by(
        moments, "timestamp"
    )


def test_newest_month_of_few_rows_is_not_named():
    """The name would disclose the time of a single row."""
    days = ["2026-10-31"] * 4 + ["2026-11-01"]
    moments = np.array(days, "datetime64[us]").astype(np.int64)

    assert ["older"] * 4 + [OTHER] == slice_by(moments, "timestamp")


def test_slices_are_those_of_the_sound_rows():
    """They are in the order of these rows."""
    slices = slice_by(list("abababab"), index=np.array([7, 5, 3, 1]))

    assert ["b"] * 4 == slices


def test_slices_take_one_byte_per_row():
    """Tables may have a million rows."""
    values = np.array(["a", "b"] * 500, dtype=object)
    slices = make_slices(
        make_dataset(categorical=values), np.arange(1000), np.arange(1000), ["categorical"], RULE
    )

    assert np.dtype(np.int8) == slices["categorical"].cat.codes.dtype
