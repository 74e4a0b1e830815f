"""The library is loaded once, and keeps nothing of a table."""

import weakref

import pandas as pd

from job.adapters.gx import GreatExpectations


def test_table_is_let_go_after_the_check():
    """The library's own context would hold every cell until the process ends."""
    table = pd.DataFrame({"target": ["a", None], "text": ["one", "two"]})
    held = weakref.ref(table)
    expectation = {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "target"},
        "severity": "critical",
    }

    (found,) = GreatExpectations().check(table, [expectation])
    del table

    assert (1,) == found.rows
    assert held() is None
