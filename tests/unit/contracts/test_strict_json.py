"""JSON that somebody else wrote is either an ordinary value or a ValueError."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.contracts.strict_json import MAX_DEPTH, parse_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    # NOTE: UTF-8 has no surrogates
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(value=VALUES)
def test_ordinary_value_comes_back(value):
    """Everything that the job writes can be read."""
    assert value == parse_json(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested"),
        (b"9" * 5000, "64 bits"),
        (str(2**64).encode(), "64 bits"),
        (b"1e999", "too large"),
        (b"-1e999", "too large"),
        (b"0." + b"1" * 5000, "too many digits"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b'{"a": 1, "a": 2}', "repeats a key"),
        (b'["\\ud800"]', "half a character"),
        (b'{"\\udfff": 1}', "half a character"),
    ],
)
def test_unusual_json_is_refused(raw, problem):
    """The message says what is wrong, and quotes nothing."""
    with pytest.raises(ValueError, match=problem):
        parse_json(raw)


@pytest.mark.parametrize(
    "raw", [b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, b'"\\ud83d\\ude00"', b"1e308"]
)
def test_values_at_the_limits_are_accepted(raw):
    """A pair of surrogates is one character."""
    assert json.loads(raw) == parse_json(raw)
