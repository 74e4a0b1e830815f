"""Only groups that were added, removed or changed count, each once."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lineage import KEY, OTHER_KEY
from support.rows import rows_of_texts

from job.stages.lineage.changes import count_changed_groups
from job.stages.lineage.lineage_file import Lineage, trace_rows


def make_rows(table):
    """Return rows from triples: text, class and number of the group of near-duplicates."""
    texts, labels, groups = zip(*table, strict=True) if table else ((), (), ())
    return rows_of_texts(texts, near_duplicate_groups=groups, y=labels)


def trace(table, key=KEY, *, n_test=2):
    """Return the lineage of a table whose last rows are test rows."""
    rows = make_rows(table)
    is_test = np.arange(len(rows)) >= len(rows) - n_test
    return trace_rows(rows.take(~is_test), rows.take(is_test), key)


TABLE = [(f"t{n}", "ab"[n % 2], n // 2) for n in range(20)]
ROW = ("new", "a", 99)


@pytest.mark.parametrize(
    ("after", "n_changed"),
    [
        (TABLE, 0),
        (TABLE[::-1], 0),
        ([*TABLE, ROW], 1),
        ([ROW, *TABLE], 1),
        (TABLE[1:], 1),
        (TABLE[2:], 1),
        (TABLE[3:], 2),
        ([*TABLE, TABLE[0]], 1),
        ([("t0", "b", 0), *TABLE[1:]], 1),
        ([("t0", "b", 0), ("t1", "a", 0), *TABLE[2:]], 1),
        ([*TABLE, *[(f"new{n}", "a", 100 + n) for n in range(5)]], 5),
        ([*TABLE, *[(f"new{n}", "a", 100) for n in range(5)]], 1),
        ([*TABLE, ("new", "a", 0), ("new2", "a", 1)], 2),
        ([(t, y, 0 if g == 1 else g) for t, y, g in TABLE], 0),
        ([(t, y, 0 if g == 1 else g) for t, y, g in TABLE[1:3] + TABLE[4:]], 1),
        ([], 10),
    ],
)
def test_changed_groups_are_counted(after, n_changed):
    assert count_changed_groups(trace(TABLE), trace(after)) == n_changed
    assert count_changed_groups(trace(after), trace(TABLE)) == n_changed


def test_another_split_changes_nothing():
    """Settings tell of no one."""
    assert count_changed_groups(trace(TABLE), trace(TABLE, n_test=7)) == 0


def test_values_of_the_group_column_are_groups():
    rows = make_rows(TABLE)
    grouped = replace(rows, leakage_keys=np.array([f"group:{n // 10}" for n in range(20)], object))
    none = rows.take(np.array([], int))
    before, after = (trace_rows(r, none, KEY) for r in (grouped, grouped.take(np.arange(3, 20))))

    assert count_changed_groups(before, after) == 1


@pytest.mark.parametrize(("rows", "n_changed"), [([3], 1), ([3, 4], 1), ([3, 14], 2)])
def test_replaced_text_changes_the_group_of_its_row(rows, n_changed):
    """The number of rows of that group and class stays the same."""
    before = make_rows(TABLE)
    texts = before.text_keys.copy()
    texts[rows] = "text:new"
    groups = np.array([f"group:{n // 10}" for n in range(20)], object)
    none = before.take(np.array([], int))
    old, new = (
        trace_rows(replace(before, leakage_keys=groups, text_keys=keys), none, KEY)
        for keys in (before.text_keys, texts)
    )

    assert count_changed_groups(old, new) == n_changed


def test_rows_of_other_sets_count_but_are_not_trained_on():
    """Scores of the challenge set are published, too."""
    rows, none = make_rows(TABLE), make_rows([])
    sets = [
        make_rows([(f"request {n}", "a", n) for n in range(n_requests)]) for n_requests in (8, 9)
    ]
    alone, before, after = (trace_rows(rows, none, KEY, sets=s) for s in ([], sets[:1], sets[1:]))

    assert [8, 1] == [count_changed_groups(before, other) for other in (alone, after)]
    assert alone.trained_on.tolist() == after.trained_on.tolist()


@pytest.mark.parametrize("n_new", [0, 1, 5])
def test_new_ids_in_the_group_column_hide_no_change(n_new):
    """An export can name its customers anew each night."""
    more = [*TABLE, *[(f"new{n}", "a", 100 + n) for n in range(n_new)]]
    none = make_rows([])
    before, after = (
        trace_rows(
            replace(
                make_rows(table),
                leakage_keys=np.array(
                    [f"group:{name} {n // 2}" for n in range(len(table))], object
                ),
            ),
            none,
            KEY,
        )
        for name, table in (("old", TABLE), ("new", more))
    )

    assert count_changed_groups(before, after) == (n_new + 1) // 2


def test_lineages_with_different_keys_are_not_compared():
    with pytest.raises(ValueError, match="different keys"):
        count_changed_groups(trace(TABLE), trace(TABLE, OTHER_KEY))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("xy")), max_size=12),
    st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("xy")), max_size=12),
)
def test_count_is_that_of_the_changed_texts_if_each_is_a_group(before, after):
    tables = [[(text, y, "abcde".index(text)) for text, y in rows] for rows in (before, after)]
    counts = [pd.Series(rows, dtype=object).value_counts() for rows in (before, after)]
    difference = counts[0].sub(counts[1], fill_value=0)
    changed = {pair[0] for pair in difference.index[difference != 0]}

    assert count_changed_groups(*(trace(t, n_test=0) for t in tables)) == len(changed)


def test_file_is_read_as_it_was_written():
    lineage = replace(trace(TABLE), words=np.array([1, 2**63], np.uint64))
    read = Lineage.from_bytes(lineage.to_bytes())

    assert read.to_bytes() == lineage.to_bytes()
    assert read.key_id == KEY.id
    assert read.words.tolist() == [1, 2**63]
    assert read.trained_on.tolist() == lineage.trained_on.tolist()


def test_training_rows_are_those_of_one_side():
    rows = make_rows(TABLE)
    lineage = trace_rows(rows.take(np.arange(15)), rows.take(np.arange(15, 20)), KEY)

    assert len(lineage.trained_on) == 15
    assert lineage.rows["n_rows"].sum() == 20


def test_same_rows_have_the_same_bytes():
    assert trace(TABLE).to_bytes() == trace([*TABLE[-3::-1], *TABLE[-2:]]).to_bytes()


def test_file_names_no_text():
    data = trace([("secret-word", "secret-class", 0)] * 3).to_bytes()

    assert b"secret" not in data


def _saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", _saved(np.arange(3)), trace(TABLE).to_bytes()[:-5], b"PK\x03\x04"],
    ids=["empty", "garbage", "another array", "cut off", "zip"],
)
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError, match=r".+"):
        Lineage.from_bytes(data)


def test_file_of_a_later_format_is_refused():
    entries = np.load(io.BytesIO(trace(TABLE).to_bytes()))
    entries[0]["content"] = 2

    with pytest.raises(ValueError, match="format"):
        Lineage.from_bytes(_saved(entries))
