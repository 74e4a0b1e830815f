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
