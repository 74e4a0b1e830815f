"""Check whether rows of a CSV file are lost in a cell of another row."""

from __future__ import annotations

from typing import Final

from job.contracts.dataset import Dataset
from job.contracts.messages import pluralize
from job.contracts.reports.validation import RuleResult

_HELD: Final = "cells_hold_rows"
_OPEN: Final = "file_ends_in_quotes"
RULES: Final = (_HELD, _OPEN)
HINT: Final = (
    "a quote is not closed, or the file is truncated: the lines after the quote are read as one "
    "text. Check whether the export has finished, and correct the quotes upstream: "
    "quote each cell that has a quote or a line break, and double the quotes in it. If the texts "
    "have such lines on purpose, export the table as Parquet, or accept them with "
    "--set 'expectations.parameters={validity: SHARE}', which also tolerates other invalid rows"
)


def check_row_structure(dataset: Dataset, validity: float) -> list[RuleResult]:
    """Return a result for each finding; it is critical if too many lines are concerned.

    Parameters
    ----------
    validity
        Minimum share of the rows that are not in a cell of another row.

    Returns
    -------
    results
        `cells_hold_rows`: `n_broken` counts the cells, and `observed` the rows that they hold.
        `file_ends_in_quotes`: `n_broken` is 1, and `observed` counts the lines of the last cell.
        Nothing can be dropped, so these expectations are never met.
    """
    found = dataset.rows_in_cells
    findings = (
        (_HELD, found.n_cells, found.n_rows, found.n_rows),
        (_OPEN, min(found.n_open_lines, 1), found.n_open_lines, found.n_open_lines - 1),
    )
    return [
        RuleResult(
            rule=rule,
            column=None,
            severity="critical"
            if n_lost > (1 - validity) * (dataset.n_rows + n_lost)
            else "warning",
            is_met=False,
            n_rows=dataset.n_rows,
            n_broken=n_broken,
            thresholds={"validity": validity},
            observed=observed,
        )
        for rule, n_broken, observed, n_lost in findings
        if n_broken
    ]


def describe_row_structure(result: RuleResult) -> str:
    """Return the finding as a phrase of a message."""
    n_found = int(result.observed or 0)
    if result.rule == _OPEN:
        return f"table: the file ends in a quoted cell of {pluralize(n_found, 'line')} ({_OPEN})"
    return (
        f"table: {pluralize(result.n_broken, 'cell')} of {pluralize(result.n_rows, 'row')} "
        f"{'holds' if result.n_broken == 1 else 'hold'} {pluralize(n_found, 'line')} that "
        f"{'looks like a row' if result.observed == 1 else 'look like rows'} ({_HELD})"
    )
