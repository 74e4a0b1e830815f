"""Texts that differ only in slot values have the same template."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.stages.data.leakage_keys import normalize
from job.stages.data.templates import SLOT, make_template, make_templates

FILLED = {
    "order number": ["4711", "#4711", "A-17", "ID:ABC123", "0b1f5e2a-9c1e-4f0a-8a4e-2f1d3c4b5a69"],
    "date": ["2026-01-31", "31/01/26", "3 May 2026", "May 3rd, 2026", "31.1.", "3rd of 5"],
    "amount": ["EUR 5.00", "5 dollars", "$1,200.50", "€ 7", "12 000 pounds", "£3"],
    "contact": [
        "jo@example.com",
        "https://example.com/a?b=c",
        "www.example.org/x",
        "+49 30 123456",
    ],
    "time": ["10:30", "9 am", "12pm"],
}


@pytest.mark.parametrize("kind", FILLED)
def test_values_of_a_slot_give_one_template(kind):
    """Slots are ids, dates, amounts, addresses and times."""
    templates = {make_template(f"My {kind} is {value}, please help") for value in FILLED[kind]}

    if kind == "date":  # a slot that is no date stays apart
        templates.discard(f"my date is {SLOT} of {SLOT} please help")
    assert {f"my {kind} is {SLOT} please help"} == templates


WORDS = st.lists(st.text("abcxyz", min_size=1, max_size=8), min_size=1, max_size=8)
VALUES = st.sampled_from([value for values in FILLED.values() for value in values])


@pytest.mark.parametrize("text", ["4711", "w17 w3", "jo@example.com 5 EUR"])
def test_slots_alone_are_no_template(text):
    """Otherwise all such texts would have the same template."""
    assert normalize(text) == make_template(text)


@given(WORDS, st.integers(0, 8), st.integers(0, 10**12), st.integers(0, 10**12))
def test_numbers_never_part_a_template(words, at, one, other):
    """This holds for any sentence and any position of the slot."""
    texts = [" ".join([*words[:at], str(value), *words[at:]]) for value in (one, other)]

    assert make_template(texts[0]) == make_template(texts[1])


@given(WORDS, st.lists(VALUES, min_size=1, max_size=3))
def test_template_holds_no_digit_of_the_text(words, values):
    """It contains no address either."""
    template = make_template(" ".join([*words, *values, "end"]))

    assert not {c for c in template.replace(SLOT, "") if c.isdigit() or c == "@"}


def test_digits_of_any_script_are_digits():
    """Normalization, which keys use as well, turns a superscript into a digit."""
    assert {f"room {SLOT}"} == {make_template(f"Room {n}") for n in ("12", "\u00b2", "\u0663")}


@given(WORDS)
def test_text_without_slots_is_its_own_template(words):
    """Only the normalization of keys is applied."""
    text = " ".join(words)

    assert normalize(text) == make_template(text)


def test_rows_without_text_keep_their_key():
    """An embedding has nothing to mask."""
    texts = np.array(["call 5", "call", "", None], dtype=object)
    keys = np.array(["text:call 5", "text:call", "embedding:12", "row:7"], dtype=object)

    assert ["text:call 0", "text:call", "embedding:12", "row:7"] == make_templates(
        texts, keys
    ).tolist()


def test_long_token_takes_no_longer_than_its_length():
    """A pasted file is one token, which a regular expression must not scan repeatedly."""
    assert f"see {SLOT}" == make_template("see 1" + "a" * 1_000_000)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("in may june 5 x", "in 0 x"),
        ("may june july x 5", "may june july x 0"),
        ("may may x 5 usd", "may may x 0"),
        ("usd may 5x may y may", "0 y may"),
        ("dollars, may 1st am pm z", "0 z"),
    ],
)
def test_months_without_a_slot_stay(text, template):
    """Only the months and units that touch a slot are merged into it."""
    assert make_template(text) == template
