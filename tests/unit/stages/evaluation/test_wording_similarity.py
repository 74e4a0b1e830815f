"""Each evaluated row is compared only with the training rows of its own model."""

from dataclasses import replace

import numpy as np
import pytest
from support.rows import rows_of_embeddings, rows_of_texts

from job.stages.evaluation import wording_similarity as similarity
from job.stages.evaluation.wording_similarity import measure_similarity

TRAINED = ["please delete all of my data", "stop sending me adverts", "where is my parcel"]


def of_holdout(evaluated, trained):
    return measure_similarity(evaluated, [(np.arange(len(evaluated)), trained)], 1)


def test_equal_text_has_similarity_1_and_a_foreign_one_0():
    """Case and punctuation do not matter."""
    evaluated = rows_of_texts(["Stop sending me adverts!", "qwxz vvkk"])
    measured = of_holdout(evaluated, rows_of_texts(TRAINED))

    assert [1.0, 0.0] == measured.values.tolist()


def test_nearest_row_counts():
    """More shared wording means higher similarity, wherever the row is in the table."""
    evaluated = rows_of_texts(["please delete my data", "please delete the parcel"])
    nearer, farther = of_holdout(evaluated, rows_of_texts(TRAINED)).values

    assert 1 > nearer > farther > 0


def test_fold_is_not_compared_with_itself():
    """Training rows of another model do not count."""
    rows = rows_of_texts([*TRAINED, *TRAINED])
    halves = np.arange(3), np.arange(3, 6)
    apart = rows_of_texts(["qwxz vvkk"])
    seen = measure_similarity(rows, [(halves[0], rows.take(halves[1])), (halves[1], apart)], 1)

    assert [1.0] * 3 + [0.0] * 3 == seen.values.tolist()


def test_row_outside_all_parts_is_not_compared():
    rows = rows_of_texts(TRAINED)
    measured = measure_similarity(rows, [(np.array([1]), rows_of_texts(TRAINED))], 1)

    assert [True, False, True] == np.isnan(measured.values).tolist()


def test_row_without_text_is_not_compared_with_texts():
    """Its key is a digest, whose letters have no meaning."""
    evaluated = rows_of_texts([*TRAINED, "x"])
    keys = evaluated.text_keys.copy()
    keys[3] = "embedding:00ff"
    measured = of_holdout(replace(evaluated, text_keys=keys), rows_of_texts(TRAINED))

    assert [False, False, False, True] == np.isnan(measured.values).tolist()
    assert 3 == measured.n_items


def test_cosine_of_embeddings_does_not_depend_on_length():
    evaluated = rows_of_embeddings([[2.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [0.0, 0.0]])
    measured = of_holdout(evaluated, rows_of_embeddings([[5.0, 0.0], [0.0, 0.0]]))

    assert [1.0, 0.707107, 0.0, 0.0] == measured.values.tolist()


def test_opposite_embedding_has_similarity_minus_1():
    measured = of_holdout(rows_of_embeddings([[-1.0, 0.0]]), rows_of_embeddings([[5.0, 0.0]]))

    assert [-1.0] == measured.values.tolist()


def test_rows_with_neither_text_nor_used_embeddings_have_no_similarity():
    evaluated = replace(rows_of_embeddings([[1.0, 0.0]]), embeddings=None)

    assert of_holdout(evaluated, evaluated) is None


def test_equal_rows_are_compared_once_and_all_get_the_value():
    evaluated = rows_of_texts([TRAINED[0]] * 50)
    measured = of_holdout(evaluated, rows_of_texts(TRAINED * 9))

    assert (1, 1, 3, 3) == (
        measured.n_items,
        measured.n_sampled_items,
        measured.n_trained_items,
        measured.n_sampled_trained_items,
    )
    assert [1.0] * 50 == measured.values.tolist()


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(similarity, "MAX_EVALUATED_ITEMS", 7)
    monkeypatch.setattr(similarity, "MAX_TRAINED_ITEMS", 5)


@pytest.mark.parametrize("make", [rows_of_texts, rows_of_embeddings])
def test_work_is_bounded_and_the_sample_is_of_whole_items(small, make):
    """All rows of a sampled item get its value; the sample is reported and reproducible."""
    rng = np.random.default_rng(3)
    items = (
        [f"text number {n}" for n in range(30)]
        if make is rows_of_texts
        else rng.normal(size=(30, 4))
    )
    order = np.tile(np.arange(20), 3)
    evaluated, trained = make([items[n] for n in order]), make([items[n] for n in range(20, 30)])
    measured, repeated = of_holdout(evaluated, trained), of_holdout(evaluated, trained)

    assert (20, 7, 10, 5) == (
        measured.n_items,
        measured.n_sampled_items,
        measured.n_trained_items,
        measured.n_sampled_trained_items,
    )
    assert 21 == (~np.isnan(measured.values)).sum()
    assert np.array_equal(measured.values[:20], measured.values[20:40], equal_nan=True)
    assert np.array_equal(measured.values, repeated.values, equal_nan=True)


@pytest.mark.parametrize("seed", [0, 6])  # the first fold lacks one, the second
def test_text_that_is_sampled_in_one_fold_has_no_value_in_another(monkeypatch, seed):
    """Each fold's model has different training rows."""
    monkeypatch.setattr(similarity, "MAX_EVALUATED_ITEMS", 3)
    evaluated, trained = rows_of_texts(TRAINED[:2] * 2), rows_of_texts(TRAINED)
    parts = [(np.arange(2), trained), (np.arange(2, 4), trained)]
    measured = measure_similarity(evaluated, parts, seed)

    assert (4, 3) == (measured.n_items, measured.n_sampled_items)
    assert 1 == np.isnan(measured.values).sum()


def test_pairs_are_bounded(monkeypatch):
    """Many training items leave room for fewer evaluated ones."""
    monkeypatch.setattr(similarity, "MAX_PAIRS", 12)
    evaluated = rows_of_texts([f"text number {n}" for n in range(20)])

    assert 4 == of_holdout(evaluated, rows_of_texts(TRAINED)).n_sampled_items
