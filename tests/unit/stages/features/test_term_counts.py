"""Terms are counted by person, outside of slots."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from support.rows import rows_of_texts

from job.errors import TrainingError
from job.stages.features.term_counts import NGRAMS, Terms, replace_counted_terms


def kept(texts, *, persons=None, min_groups=5, index=None):
    """Return the terms that are kept for these texts."""
    rows = replace(rows_of_texts(texts), text=np.array(texts, object), person_ids=persons)
    index = np.arange(len(texts)) if index is None else index
    union, _ = Terms(rows, ("word", "char_wb")).union(index, min_groups)
    return {term for _, part in union.transformer_list for term in part[0].vectorizer.vocabulary}


def number(*persons):
    return np.array(persons, np.int64)


def test_term_needs_enough_persons():
    """The number of a person's texts has no effect."""
    texts = [f"delete {word}" for word in ("quixote", "quixote now", "quixote soon", "a", "b")]

    assert "quixote" in kept(texts, min_groups=3)
    assert "quixote" not in kept(texts, persons=number(0, 0, 1, 2, 3), min_groups=3)
    assert "quixote" in kept(texts, persons=number(0, 0, 1, 2, 3), min_groups=2)
    assert "delete" in kept(texts, persons=number(0, 0, 1, 2, 3), min_groups=4)


def test_only_persons_of_the_subset_count():
    """Other rows of the table may be test rows."""
    texts = ["late please", "late, please", "too late please", "early please"]
    persons = number(0, 1, 1, 2)

    assert "late" in kept(texts, persons=persons, min_groups=2, index=np.arange(4))
    assert "late" not in kept(texts, persons=persons, min_groups=2, index=np.array([1, 2, 3]))


def test_terms_inside_slots_are_not_kept():
    """They are addresses and ids, and are kept only if enough texts have them outside of slots."""
    texts = ["mail quill@example.com now", "see https://quill.example/a and", "id quill4711 or"] * 2
    terms = kept(texts, persons=number(*range(6)), min_groups=2)

    assert {"mail", "see", "id", "now"} <= terms
    assert not [term for term in terms if "quil" in term or "exam" in term]
    assert "quill" in kept([*texts, "quill", "the quill"], min_groups=2)
    assert "quill" not in kept([*texts, "quill"], min_groups=2)


def test_terms_across_slots_are_not_kept():
    """Neither the slot nor what replaces it makes a pair of words."""
    terms = kept(["call 0301234567 today", "call 0307654321 today"], min_groups=2)

    assert {"call", "today"} <= terms
    assert "call today" not in terms


@pytest.mark.parametrize(
    "slot",
    ["1234", "a1b2c3", "jo@x.org", "\uff10\uff11\uff12", "x\u00b2\u00b3\u2074", "jo\uff20x.org"],
)
def test_slots_in_other_scripts_are_slots(slot):
    """Templates and terms have the same slots."""
    assert not [
        term
        for term in kept([f"hello {slot} you"] * 2, persons=number(0, 1), min_groups=2)
        if set(slot) & set(term) - set("helo yu")
    ]


def test_no_term_left_is_a_training_error():
    """The message tells what a person is."""
    with pytest.raises(TrainingError, match="texts of 2 persons"):
        kept(["delete me", "delete it"], persons=number(0, 0), min_groups=2)


TOKENS = st.lists(
    st.sampled_from(["ab", "abc", "Ab-c", "a1b", "x@y.z", "12", "www.ab.c", "é²", "\u1e9e", "\n"]),
    max_size=8,
)


@given(st.lists(TOKENS, min_size=2, max_size=6), st.integers(1, 3), st.randoms())
def test_kept_terms_are_those_of_persons_and_counts_those_of_raw_texts(tokens, min_groups, random):
    """The definition, counted text by text; a published model counts the raw texts alike."""
    texts = [" ".join(one) for one in tokens]
    persons = number(*(random.randrange(3) for _ in texts))
    rows = replace(rows_of_texts(texts), text=np.array(texts, object), person_ids=persons)
    expected = {analyzer: count_by_hand(tokens, persons, analyzer) for analyzer in NGRAMS}
    expected = {
        a: {t for t, n in counts.items() if n >= min_groups} for a, counts in expected.items()
    }
    try:
        union, _ = Terms(rows, tuple(NGRAMS)).union(np.arange(len(texts)), min_groups)
    except TrainingError:
        assert not any(expected.values())
        return

    found = {name: set(part[0].vectorizer.vocabulary) for name, part in union.transformer_list}
    assert {name: terms for name, terms in expected.items() if terms} == found
    X = union.fit_transform(np.arange(len(texts)))
    published = replace_counted_terms(union)
    np.testing.assert_array_equal(X.toarray(), published.transform(texts).toarray())


def count_by_hand(tokens, persons, analyzer):
    """Count the persons of each term by the definition: parts of texts without any slot."""
    analyze = CountVectorizer(analyzer=analyzer, ngram_range=NGRAMS[analyzer]).build_analyzer()
    slots, holders = {"a1b", "x@y.z", "12", "www.ab.c", "é²"}, {}
    for person, text in zip(persons.tolist(), tokens, strict=True):
        parts = " ".join("|" if token in slots else token for token in text).split("|")
        for term in {term for part in parts for term in analyze(part)}:
            holders.setdefault(term, set()).add(person)
    return {term: len(people) for term, people in holders.items()}
