"""Rows in cells are a warning up to the tolerance of the suite, and beyond it stop the run."""

from dataclasses import replace

import numpy as np
import pytest
from support.datasets import table_of

from job.contracts.dataset import Column
from job.contracts.rows_in_cells import RowsInCells
from job.stages.data.row_structure import check_row_structure, describe_row_structure


def dataset(n_rows, n_cells, n_held):
    texts = np.full(n_rows, "text", dtype=object)
    table = table_of([Column(name="text", role="text", kind="string", values=texts)])
    return replace(table, rows_in_cells=RowsInCells(n_cells=n_cells, n_rows=n_held))


@pytest.mark.parametrize(
    ("counts", "validity", "severity"),
    [
        ((98, 1, 2), 0.98, "warning"),
        ((97, 1, 3), 0.98, "critical"),
        ((30, 1, 50), 0.98, "critical"),
        ((30, 1, 50), 0.3, "warning"),
        ((100, 1, 1), 1.0, "critical"),
    ],
)
def test_share_of_lost_rows_decides(counts, validity, severity):
    """The rows that were lost count as rows of the table."""
    [result] = check_row_structure(dataset(*counts), validity)

    assert (severity, False) == (result.severity, result.is_met)
    assert counts == (result.n_rows, result.n_broken, result.observed)


def test_table_without_such_cells_has_no_result():
    """The report has the expectation only if there is something to say."""
    assert [] == check_row_structure(dataset(10, 0, 0), 0.98)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((30, 1, 50), "1 cell of 30 rows holds 50 lines that look like rows"),
        ((30, 2, 1), "2 cells of 30 rows hold 1 line that looks like a row"),
    ],
)
def test_finding_is_told_in_counts(counts, expected):
    """The cells are not quoted."""
    [result] = check_row_structure(dataset(*counts), 0.98)

    assert f"table: {expected} (cells_hold_rows)" == describe_row_structure(result)


@pytest.mark.parametrize(("n_lines", "severity"), [(1, "warning"), (3, "warning"), (9, "critical")])
def test_file_that_ends_in_quotes_is_a_finding(n_lines, severity):
    """The lines of the last cell may be rows, whatever they look like."""
    table = replace(dataset(100, 0, 0), rows_in_cells=RowsInCells(n_open_lines=n_lines))
    [result] = check_row_structure(table, 0.98)

    assert ("file_ends_in_quotes", severity) == (result.rule, result.severity)
    assert f"cell of {n_lines} line" in describe_row_structure(result)
