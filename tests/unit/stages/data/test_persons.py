"""Groups whose texts share a value that identifies are of one person."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rows import rows_of_embeddings, rows_of_texts

from job.stages.data.persons import number_persons


def persons_of(texts, *, groups=None):
    texts = np.array(texts, dtype=object)
    return number_persons(rows_of_texts(texts, near_duplicate_groups=groups), texts).tolist()


def test_groups_with_a_common_value_are_one_person():
    """The address is in two texts and the phone number in two; the last text shares nothing."""
    texts = [
        "delete all of it, jo@example.com",
        "still waiting, write to Jo@Example.com or call 030 1234567",
        "is anybody there? +49 30 1234567",
        "a question on my order",
    ]

    assert [0, 0, 0, 1] == persons_of(texts)


def test_rows_of_one_group_are_one_person():
    """A value in one row of a group joins all of them."""
    texts = ["please delete it", "please delete it now, jo@example.com", "hello, jo@example.com"]

    assert [0, 0, 0] == persons_of(texts, groups=[0, 0, 1])


def test_text_without_values_stays_a_person():
    """A name alone joins nothing."""
    assert [0, 1] == persons_of(["delete my data, Jo Quill", "where is it? Jo Quill"])


@pytest.mark.parametrize(
    ("n_letters", "n_others", "is_joined"),
    [
        (20, 0, True),
        (21, 79, False),
        (21, 2079, True),
        (22, 2078, False),
    ],
)
def test_value_in_many_groups_identifies_no_one(n_letters, n_others, is_joined):
    """Up to 20 groups or 1% of all groups may share it."""
    letters = [f"letter {chr(97 + n)} to support@company.example" for n in range(n_letters)]
    others = [f"other {n}" for n in range(n_others)]
    persons = persons_of([*letters, *others])

    assert (1 if is_joined else n_letters) == len(set(persons[:n_letters]))


def test_letter_that_many_send_does_not_join_its_senders():
    """Its rows are joined with other letters of their sender by their own ids."""
    ids = range(100000, 100021)
    shared = [f"delete account {n}" for n in ids]
    others = [f"{chr(97 + n - 100000)} letter on {n}" for n in ids]

    assert [*range(21), *range(21)] == persons_of(
        [*shared, *others], groups=[0] * 21 + [*range(1, 22)]
    )
    joined = persons_of([*shared[1:], *others[1:]], groups=[0] * 20 + [*range(1, 21)])
    assert {0} == set(joined)


def test_senders_of_shared_letters_are_joined_by_their_values():
    """Thirty persons send each of twelve letters; an address of the company is in all of them."""
    texts = [
        f"letter {chr(97 + n)} to all@company.example, from sender{s}@mail.example"
        for n in range(12)
        for s in range(30)
    ]

    assert list(range(30)) * 12 == persons_of(texts, groups=np.repeat(np.arange(12), 30))


def test_row_of_a_shared_letter_without_values_stays_in_its_group():
    """Nothing shows that two such rows are of two persons."""
    texts = [*(f"delete account {n}" for n in range(100000, 100021)), "delete account", "delete it"]

    assert 22 == len(set(persons := persons_of(texts, groups=[0] * 23)))
    assert persons[21] == persons[22]


def test_value_of_the_group_column_is_a_person():
    """Its rows are not joined with others, whatever their texts share."""
    texts = np.array(["a jo@example.com", "b jo@example.com", "c jo@example.com", "d"], object)
    rows = rows_of_texts(texts)
    keys = np.array(["group:7", *rows.text_keys[1:3], "group:7"], object)

    assert [1, 0, 0, 1] == number_persons(replace(rows, leakage_keys=keys), texts).tolist()


def test_table_without_text_has_its_groups():
    """There is nothing to join by."""
    rows = rows_of_embeddings(np.eye(3), near_duplicate_groups=[5, 5, 9])

    assert [0, 0, 1] == number_persons(rows, None).tolist()


def test_missing_texts_and_empty_tables_are_fine():
    """A table may have rows without text, or no valid row."""
    texts = np.array([None, "a jo@example.com", ""], dtype=object)
    rows = rows_of_embeddings(np.eye(3))

    assert [0, 1, 2] == sorted(number_persons(rows, texts).tolist())
    assert [] == number_persons(rows.take(np.arange(0)), texts[:0]).tolist()


@given(
    st.lists(st.sampled_from(["jo@example.com", "030 1234567", "AB12CD34", "none"]), max_size=12),
    st.randoms(),
)
def test_order_of_the_rows_has_no_effect(values, random):
    """The persons are the same sets of rows."""
    texts = [f"{chr(97 + n)} {value}" for n, value in enumerate(values)]
    order = list(range(len(texts)))
    random.shuffle(order)
    persons = persons_of(texts)
    shuffled = dict(zip(order, persons_of([texts[n] for n in order]), strict=True))

    assert all(
        (persons[a] == persons[b]) == (shuffled[a] == shuffled[b]) for a in order for b in order
    )
