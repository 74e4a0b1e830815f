"""Equal texts share a key, and the digest of a key never changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.stages.data.leakage_keys import normalize, salted_digests

KEYS = st.lists(st.text(max_size=20), min_size=1, max_size=30, unique=True)


def test_case_space_punctuation_and_compatibility_forms_are_folded():
    """Texts that differ only in form have the same key."""
    assert normalize("delete my account") == normalize("  \uff24elete\u00a0MY\n account!!")


@given(st.text())
def test_normalize_is_idempotent(text):
    """Normalizing a key again does not change it."""
    assert normalize(normalize(text)) == normalize(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_fast_path_agrees_with_the_general_one(text):
    """A dash that is not ASCII disables the fast path."""
    word = f"a{text}"

    assert normalize(f"{word}\u2014") == normalize(word)


@given(KEYS, KEYS)
def test_digest_does_not_depend_on_other_keys(keys, others):
    """Adding or reordering rows changes no key's digest, and thus no key's side."""
    alone = dict(zip(keys, salted_digests("side", keys, "pcc"), strict=True))
    grown = [*reversed(others), *reversed(keys)]
    together = dict(zip(grown, salted_digests("side", grown, "pcc"), strict=True))

    assert alone == {key: together[key] for key in keys}


def test_digests_of_many_keys_are_uniform():
    digests = salted_digests("side", (f"key {n}" for n in range(20_000)), "pcc")

    assert abs((digests < 0.2 * 2.0**64).mean() - 0.2) < 0.01


@pytest.mark.parametrize("other", [("side", "b"), ("family", "a")])
def test_another_salt_or_prefix_gives_independent_digests(other):
    """Hold-outs are repeated with other salts."""
    keys = [f"key {n}" for n in range(1000)]
    prefix, salt = other
    one, another = salted_digests("side", keys, "a"), salted_digests(prefix, keys, salt)

    assert 0.4 < ((one < 2.0**63) == (another < 2.0**63)).mean() < 0.6
