"""Check whether rows of a CSV file are lost in a cell of another row."""

from __future__ import annotations

from typing import Final

from job.contracts.dataset import Dataset
from job.contracts.messages import pluralize
from job.contracts.reports.validation import RuleResult

RULE: Final = "cells_hold_rows"
HINT: Final = (
    "a quote is not closed: the lines after it are read as one text. Correct the quotes upstream: "
    "quote each cell that has a quote or a line break, and double the quotes in it. If the texts "
    "quote rows of such tables on purpose, accept them with "
    "--set 'expectations.parameters={validity: SHARE}'"
)


def check_row_structure(dataset: Dataset, validity: float) -> list[RuleResult]:
    """Return a result if cells hold rows; it is critical if they are too many.

    Parameters
    ----------
    validity
        Minimum share of the rows that are not in a cell of another row.

    Returns
    -------
    results
        `n_broken` counts the rows with such a cell, and `observed` the rows that the cells hold.
        Nothing can be dropped, so the expectation is never met.
    """
    found = dataset.rows_in_cells
    if not found.n_cells:
        return []
    is_critical = found.n_rows > (1 - validity) * (dataset.n_rows + found.n_rows)
    return [
        RuleResult(
            rule=RULE,
            column=None,
            severity="critical" if is_critical else "warning",
            is_met=False,
            n_rows=dataset.n_rows,
            n_broken=found.n_cells,
            thresholds={"validity": validity},
            observed=found.n_rows,
        )
    ]


def describe_row_structure(result: RuleResult) -> str:
    """Return the finding as a phrase of a message."""
    held = pluralize(int(result.observed or 0), "row")
    return (
        f"table: {pluralize(result.n_broken, 'cell')} of {pluralize(result.n_rows, 'row')} "
        f"{'holds' if result.n_broken == 1 else 'hold'} {held} that "
        f"{'was' if result.observed == 1 else 'were'} not read ({RULE})"
    )
