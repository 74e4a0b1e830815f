"""Equal texts share a key, and a key's side never changes."""

from hypothesis import given
from hypothesis import strategies as st

from job.stages.data.leakage_keys import is_held_out, normalize

KEYS = st.lists(st.text(max_size=20), min_size=1, max_size=30, unique=True)


def test_case_space_punctuation_and_compatibility_forms_are_folded():
    """Texts that differ in form only have one key."""
    assert normalize("delete my account") == normalize("  \uff24elete\u00a0MY\n account!!")


@given(st.text())
def test_normalize_is_idempotent(text):
    """Normalizing a key again does not change it."""
    assert normalize(normalize(text)) == normalize(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_fast_path_agrees_with_the_general_one(text):
    """A dash that is not ASCII switches the fast path off."""
    word = f"a{text}"

    assert normalize(f"{word}\u2014") == normalize(word)


@given(KEYS, KEYS)
def test_side_does_not_depend_on_other_keys(keys, others):
    """A growing or reordered table moves no row to the other side."""
    alone = dict(zip(keys, is_held_out(keys, "pcc", 0.2), strict=True))
    grown = [*reversed(others), *reversed(keys)]
    together = dict(zip(grown, is_held_out(grown, "pcc", 0.2), strict=True))

    assert alone == {key: together[key] for key in keys}


def test_share_of_many_keys_is_the_test_fraction():
    """The hash is uniform."""
    share = is_held_out((f"key {n}" for n in range(20_000)), "pcc", 0.2).mean()

    assert abs(share - 0.2) < 0.01


def test_another_salt_gives_another_hold_out():
    """Hold-outs are repeated with other salts."""
    keys = [f"key {n}" for n in range(1000)]
    same = (is_held_out(keys, "a", 0.5) == is_held_out(keys, "b", 0.5)).mean()

    assert 0.4 < same < 0.6
