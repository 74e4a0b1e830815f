"""Equal values get one canonical string, and other strings are unchanged."""

import pytest

from job.contracts.canonical_strings import canonicalize


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("True", "true"),
        ("FALSE", "false"),
        ("2.0", "2"),
        ("-12.000", "-12"),
        ("2026-01-02 03:04:05+01:00", "2026-01-02T02:04:05Z"),
        ("2026-01-02T03:04:05.250000Z", "2026-01-02T03:04:05.250000Z"),
        ("2026-01-02 00:00:00", "2026-01-02"),
    ],
)
def test_value_has_one_spelling(text, expected):
    """A canonical string stays as it is."""
    assert [expected, expected] == [canonicalize(text), canonicalize(expected)]


@pytest.mark.parametrize(
    "text", ["", "truely", "1.10", "2.50", "v2.0", "1e5", "2026-13-02 03:04", "2.0\n"]
)
def test_other_strings_stay_as_they_are(text):
    """A version, an invalid date or a word is not a number."""
    assert text == canonicalize(text)
