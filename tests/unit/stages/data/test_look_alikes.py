"""Labels that a reader takes for one label are found, and others are not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.stages.data.look_alikes import describe_difference, find_look_alikes, fold_label


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("opt_out", "Opt_Out", "case"),
        ("straße", "STRASSE", "case"),
        ("opt out", " opt out", "blanks"),
        ("opt out", "opt  out", "blanks"),
        ("opt out", "opt\u00a0out", "blanks"),
        ("opt out", "opt\u3000out", "blanks"),
        ("opt out", "opt out\r", "blanks"),
        ("café", unicodedata.normalize("NFD", "café"), "Unicode form"),
        ("A", "\uff21", "Unicode form"),
        ("other", "other\0\0", "invisible characters"),
        ("other", "oth\u00ader", "invisible characters"),
        ("other", "\ufeffother", "invisible characters"),
        ("other", "other\u200b", "invisible characters"),
        ("other", "\u202eother\u202c", "invisible characters"),
        ("other", "other\u3164", "invisible characters"),
        ("other", "Other ", "blanks and case"),
    ],
)
def test_look_alikes_are_found_and_their_difference_is_named(first, second, kind):
    """In either order."""
    assert (tuple(sorted((first, second))),) == find_look_alikes([first, second, "another"])
    assert kind == describe_difference(first, second) == describe_difference(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [("opt_out", "opt-out"), ("optout", "opt out"), ("a1", "a2"), ("cafe", "café"), ("1", "1.5")],
)
def test_other_labels_do_not_look_alike(first, second):
    """Only what a reader can hardly see counts."""
    assert () == find_look_alikes([first, second])


@given(st.text(max_size=20))
def test_folding_keeps_blanks_and_case_out(label):
    """Blanks around a label, and a second folding, change nothing."""
    assert fold_label(label) == fold_label(f" {label}\u00a0\u200b")


@given(st.text(max_size=12))
def test_fast_path_of_plain_labels_agrees(label):
    """A label with a NUL takes the other path."""
    assert fold_label(label) == fold_label(label + "\0")
