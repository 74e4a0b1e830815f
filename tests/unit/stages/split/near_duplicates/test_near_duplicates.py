"""Near-duplicates, and texts that are connected through them, form one group."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.executors import InTurn

from job.adapters.executors.local import LocalThreads
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.split import SplitSpec
from job.errors import ConfigurationError
from job.stages.data.leakage_keys import normalize
from job.stages.data.templates import make_templates
from job.stages.split.near_duplicates import choose_similarity_source, find_near_duplicate_groups
from job.stages.split.near_duplicates.lsh import (
    Links,
    cut_groups,
    equal_bit_share,
    equal_number_share,
)
from job.stages.split.near_duplicates.minhash import NGRAM, sign_texts
from job.stages.split.near_duplicates.simhash import expected_bit_share, sign_embeddings

BASE = "please tell me which personal data your company holds about my account"
OTHER = "the parcel that was promised for last week has still not been delivered"
WORDS = st.sampled_from(
    ("delete", "my", "data", "please", "stop", "adverts", "now", "who", "sees", "account")
)
SENTENCES = st.lists(
    st.lists(WORDS, min_size=3, max_size=14).map(" ".join), min_size=1, max_size=25
)


def rows_of(texts, y=None):
    keys = np.array([f"text:{normalize(text)}" for text in texts], dtype=object)
    return Rows(
        y=np.array(y or ["a"] * len(texts), dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=None,
        frame=pd.DataFrame(index=range(len(texts))),
        templates=make_templates(np.array(texts, dtype=object), keys),
    )


def find_groups(texts, executor=None, **spec):
    tables = find_near_duplicate_groups(
        [rows_of(texts)], SplitSpec(**spec), "text", executor or InTurn()
    )
    return tables[0].near_duplicate_groups


def make_sets(texts, near_duplicate_groups):
    return {
        frozenset(t for t, f in zip(texts, near_duplicate_groups, strict=True) if f == n)
        for n in near_duplicate_groups
    }


def test_near_duplicates_are_one_group_and_others_are_not():
    """An additional polite word does not make another text."""
    a, b, c = find_groups([BASE, f"{BASE}, thank you", OTHER])

    assert a == b != c


@pytest.mark.parametrize("template", ["Call {}", "My number is {}, please remove my data"])
def test_template_with_other_slot_values_is_one_group(template):
    """This holds for short templates and for strict thresholds."""
    values = ["17", "ABC-1", "jo@example.com", "2026-11-26", "EUR 5"]
    near_duplicate_groups = find_groups([template.format(value) for value in values], min_jaccard=1)

    assert 1 == len(set(near_duplicate_groups))


def test_large_group_of_one_template_is_not_cut():
    """Chains are split, templates never."""
    texts = [f"Where is order {n}?" for n in range(500)] + [BASE, OTHER]

    assert [500, 1, 1] == sorted(np.bincount(find_groups(texts)), reverse=True)


@given(SENTENCES, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_of_rows_does_not_matter(texts, random):
    """The same texts get the same groups."""
    shuffled = random.sample(texts, len(texts))

    assert make_sets(texts, find_groups(texts)) == make_sets(shuffled, find_groups(shuffled))


@given(SENTENCES)
@settings(max_examples=40, deadline=None)
def test_equal_texts_are_one_group(texts):
    """Case and punctuation do not separate them."""
    near_duplicate_groups = find_groups(texts + [f"{text.upper()}!" for text in texts])

    assert (
        near_duplicate_groups[: len(texts)].tolist() == near_duplicate_groups[len(texts) :].tolist()
    )


def test_workers_do_not_matter():
    """Blocks are processed independently."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(BASE.split() + OTHER.split(), 8)) for _ in range(9000)]
    alone, together = find_groups(texts), find_groups(texts, LocalThreads(3))

    assert alone.tolist() == together.tolist()


def test_text_between_two_groups_joins_them():
    """A text that is similar to both groups connects them."""
    head, tail = BASE.split(), OTHER.split()
    ends = [" ".join(head + tail[:4]), " ".join(head[-4:] + tail)]
    between = " ".join(head + tail)

    assert 2 == len(set(find_groups(ends)))
    assert 1 == len(set(find_groups([*ends, between])))


def test_numbers_mean_the_same_in_all_tables():
    """A separate test table is searched together with the table."""
    first, second = find_near_duplicate_groups(
        [rows_of([BASE, OTHER]), rows_of([f"so {OTHER}"])], SplitSpec(), "text", InTurn()
    )

    assert (
        second.near_duplicate_groups[0]
        == first.near_duplicate_groups[1]
        != first.near_duplicate_groups[0]
    )


def test_texts_equal_but_for_a_lost_address_stay_together():
    """After normalization they are the same text, but only one of them shows its slot."""
    a, b = find_groups(["write to jo@example.com", "write to jo example com"])

    assert a == b


def test_switched_off_leaves_equal_texts_together():
    """The result is the same as without near-duplicate groups."""
    rows = rows_of([BASE, f"{BASE} thanks", BASE])
    (grouped,) = find_near_duplicate_groups([rows], SplitSpec(), "none", InTurn())

    assert [0, 1, 0] == grouped.near_duplicate_groups.tolist()


def test_estimated_similarity_is_that_of_the_sets():
    """The error is that of 128 numbers."""
    rng = np.random.default_rng(1)
    letters = rng.choice(list("abcdefghij klmnop"), (40, 80))
    texts = ["".join(row) for row in letters]
    texts += [
        "".join([*row[:cut], *letters[0][cut:]])
        for cut, row in zip(range(0, 80, 2), letters, strict=True)
    ]
    one, other = np.arange(40), np.arange(40, 80)
    signatures = sign_texts(np.array(texts, dtype=object), InTurn())
    grams = [{t[n : n + NGRAM] for n in range(len(t) - NGRAM + 1)} for t in texts]
    true = [
        len(grams[a] & grams[b]) / len(grams[a] | grams[b]) for a, b in zip(one, other, strict=True)
    ]
    estimated = equal_number_share(signatures[one], signatures[other])

    assert np.abs(estimated - true).max() < 4 * 0.5 / np.sqrt(128)
    assert np.corrcoef(estimated, true)[0, 1] > 0.97


@pytest.mark.parametrize("text", ["", "a", "stop", "ab\ud800", "\u4f60\u597d"])
def test_short_and_odd_texts_have_a_signature(text):
    """A text shorter than an n-gram is a single n-gram, and equal only to itself."""
    signatures = sign_texts(np.array([text, f"{text}x", text], dtype=object), InTurn())
    share = equal_number_share(signatures[[0, 0]], signatures[[2, 1]])

    assert (1.0, True) == (share[0], bool(share[1] < 0.1))


def test_estimated_angle_is_that_of_the_embeddings():
    """The error is that of 512 bits."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((200, 30)).astype(np.float32)
    Y = X + rng.uniform(0, 1, (200, 1)).astype(np.float32) * rng.standard_normal((200, 30))
    both = np.concatenate([X, Y]).astype(np.float32)
    signatures = sign_embeddings(MatrixRows(both, np.arange(400)), InTurn())
    norms = np.linalg.norm(X, axis=1) * np.linalg.norm(Y, axis=1)
    true = [expected_bit_share(c) for c in np.clip((X * Y).sum(axis=1) / norms, -1, 1)]

    assert np.abs(equal_bit_share(signatures[:200], signatures[200:]) - true).max() < 0.09


def test_near_embeddings_are_one_group_where_there_is_no_text():
    """Nearly all of them are found, and hardly any other pair."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((2000, 64)).astype(np.float32)
    near = X + 0.08 * rng.standard_normal(X.shape).astype(np.float32)
    both = np.concatenate([X, near])
    keys = np.array([f"embedding:{n}" for n in range(4000)], dtype=object)
    rows = replace(
        rows_of(["x"] * 4000),
        leakage_keys=keys,
        text_keys=keys,
        templates=None,
        embeddings=MatrixRows(both, np.arange(4000)),
    )
    kind = choose_similarity_source(rows, SplitSpec())
    (grouped,) = find_near_duplicate_groups([rows], SplitSpec(), kind, InTurn())

    assert "embeddings" == kind
    assert (
        grouped.near_duplicate_groups[:2000] == grouped.near_duplicate_groups[2000:]
    ).mean() > 0.99
    assert len(np.unique(grouped.near_duplicate_groups)) > 1990


def test_what_is_asked_for_and_not_there_is_an_error():
    """A missing column is not silently ignored."""
    rows = rows_of(["x"])

    with pytest.raises(ConfigurationError, match="embeddings"):
        choose_similarity_source(rows, SplitSpec(near_duplicates="embeddings"))
    assert "none" == choose_similarity_source(replace(rows, templates=None), SplitSpec())


def test_chains_are_cut_and_what_is_nearly_equal_is_not():
    """A chain of 99 links of .6 is not one group; a chain of 99 links of .95 is."""
    one, other = np.arange(99), np.arange(1, 100)
    weak, strong = (Links(one=one, other=other, similarity=np.full(99, s)) for s in (0.6, 0.95))

    assert 100 == len(set(cut_groups(weak, 100, 0.5, 20)))
    assert 1 == len(set(cut_groups(weak, 100, 0.5, 100)))
    assert 1 == len(set(cut_groups(strong, 100, 0.5, 20)))


def test_cut_leaves_small_groups_as_they_are():
    """Only groups that are too large are reconnected."""
    one = np.array([*range(49), 60])
    links = Links(one=one, other=one + 1, similarity=np.array([0.6] * 49 + [0.55]))
    groups = cut_groups(links, 70, 0.5, 20)

    assert (True, False) == (groups[60] == groups[61], groups[0] == groups[1])
