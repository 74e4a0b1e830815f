"""Values that identify a person are found, and compared without differences in writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.stages.data.identifiers import find_identifiers

SAME = {
    "e-mail address": [
        "Jo.Quill@Example.com",
        "<jo.quill@example.com>,",
        "mailto:jo.quill@example.com.",
    ],
    "name with an @": ["@jo_quill", "@Jo_Quill!"],
    "profile": ["https://www.social.example/jo.quill/", "www.social.example/Jo.Quill."],
    "phone number": [
        "+49 30 1234567",
        "030 1234567",
        "030/1234567.",
        "(030) 123-45-67",
        "0049301234567",
    ],
    "number of the United States": [
        "555-123-4567",
        "(555) 123-4567",
        "+1 555.123.4567",
        "tel:5551234567",
    ],
    "number of an order": ["123456", "#123456", "ID:123456", "No.123456!"],
    "passport": ["C01X00T47", "c01x00t47."],
    "code with hyphens": ["AB12-CD34", "ab12cd34", "(AB12.CD34)"],
    "number with a check letter": ["12345678Z", "12345678-z", "12345678 Z"],
    "uuid": ["0b1f5e2a-9c1e-4f0a-8a4e-2f1d3c4b5a69", "{0B1F5E2A-9C1E-4F0A-8A4E-2F1D3C4B5A69}"],
    "other scripts": [
        "٠٣٠١٢٣٤٥٦٧",
        "0301234567",
        "\uff10\uff13\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
    ],
    "social security number": ["123-45-6789", "123 45 6789", "123456789"],
    "card": ["4111 1111 2222 3333", "4111111122223333"],
}


@pytest.mark.parametrize("kind", SAME)
def test_forms_of_one_value_are_equal(kind):
    """Case, separators, the code of a country and punctuation have no effect."""
    found = [find_identifiers(f"My {kind} is {value} and I wait") for value in SAME[kind]]

    assert set.intersection(*found)


@pytest.mark.parametrize(
    "text",
    [
        "in 2018, from 2019 to 2024, mid-2024, 2024-q1, FY2023",
        "on 2026-01-31T10:30:00Z, 31.1.2026, 31/01/26, 1/31/2026, 20260131 or May 31 2026 at 10:30",
        "order 123, room 4711, zip 10115, 3rd party, 2fa, 2-step, covid-19, iphone14, section 17",
        "paid $1,200,000.50, 1500000 euros, EUR 1000000, 1 000 pounds, 250000€ or 123456.78",
        "GDPR 2016/679, 679/2016, 2002/58/EC and CCPA 1798.105",
        "1000mb, 365-days, 10000km, 24/7, 2@10",
        "see www.example.com or https://example.com",
        "no slot at all",
        "",
    ],
)
def test_dates_amounts_and_small_numbers_identify_no_one(text):
    """Neither do laws, units and addresses of companies."""
    assert set() == find_identifiers(text)


def test_different_values_stay_different():
    """They differ in one character."""
    values = ["jo@example.com", "jo@example.org", "1234567", "1234568", "ab12cd34", "ab12cd35"]

    assert len(values) == len({next(iter(find_identifiers(value))) for value in values})


def test_dates_next_to_a_number_do_not_hide_it():
    """The number is found without them."""
    assert {"1234567"} == find_identifiers("on 3.5.2026 at 10:30 about 1234567 of 2026-05-02")


@given(st.text("abc @.-/0123456789+€é٣", max_size=60))
def test_every_value_is_found_again_in_any_case(text):
    """The rule does not depend on case, and never fails."""
    assert find_identifiers(text) == find_identifiers(text.upper())
