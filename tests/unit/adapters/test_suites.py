"""Suites are parsed, and the library does not keep a reference to the table."""

import json
import weakref

import pandas as pd
import pytest

from job.adapters.suites import GreatExpectations, SuiteFolder
from job.errors import ConfigurationError


def load(folder, meta):
    path = folder / "own.json"
    path.write_text(json.dumps({"meta": meta, "expectations": []}))
    return SuiteFolder(folder).load(str(path)).embeddings_standardized_per_batch


@pytest.mark.parametrize("value", [True, False, None])
def test_suite_states_whether_embeddings_are_standardized_per_batch(tmp_path, value):
    """null is the same as no key."""
    assert value is load(tmp_path, {"embeddings_standardized_per_batch": value})
    assert load(tmp_path, {}) is None


@pytest.mark.parametrize("value", ["yes", 1])
def test_suite_that_states_it_otherwise_is_refused(tmp_path, value):
    with pytest.raises(ConfigurationError, match="is not an expectation suite"):
        load(tmp_path, {"embeddings_standardized_per_batch": value})


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1" + "0" * 400, "64 bits"),
        ("NaN", "not JSON"),
        ("-Infinity", "not JSON"),
        ("1e999", "too large"),
        ('"\\ud800"', "half a character"),
        ('{"a": 1, "a": 2}', "repeats a key"),
        ("[" * 100 + "]" * 100, "nested"),
        ("\xff", "not UTF-8"),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        '{"expectations": [{"type": "t", "kwargs": {"column": "n", "mostly": VALUE}}]}',
        '{"meta": {"parameters": {"p": VALUE}}, "expectations": []}',
    ],
    ids=["kwargs", "parameters"],
)
def test_values_that_no_rule_can_use_are_refused(tmp_path, text, value, problem):
    """The message names the file; the same text with another value is a suite."""
    path = tmp_path / "own.json"
    path.write_text("\ufeff" + text.replace("VALUE", "0.5"))
    assert "own" == SuiteFolder(tmp_path).load(str(path)).name
    path.write_bytes(text.replace("VALUE", value).encode("latin-1"))

    with pytest.raises(ConfigurationError, match=f"own.json' is not an expectation .*{problem}"):
        SuiteFolder(tmp_path).load(str(path))


def test_table_is_let_go_after_the_check():
    """Otherwise the library's own context would keep the table until the process ends."""
    table = pd.DataFrame({"target": ["a", None], "text": ["one", "two"]})
    held = weakref.ref(table)
    expectation = {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "target"},
        "severity": "critical",
    }

    (result,) = GreatExpectations().check(table, [expectation])
    del table

    assert (1,) == result.rows
    assert held() is None
