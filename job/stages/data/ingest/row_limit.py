"""Refuse a table that has more rows than the settings allow, before its rows are read."""

from __future__ import annotations

from job.errors import ContractViolationError


def check_row_limit(n_rows: int, *, max_rows: int, uri: str, is_complete: bool) -> None:
    """Raise if a table has more than `max_rows` rows.

    Parameters
    ----------
    n_rows
        Number of rows that the file states, or that were read so far.
    is_complete
        Whether `n_rows` is the number of all rows.

    Raises
    ------
    ContractViolationError
        The table has more rows.
    """
    if n_rows <= max_rows:
        return
    found = f"{n_rows:,}" if is_complete else f"at least {n_rows:,}"
    raise ContractViolationError(
        f"'{uri}' has {found} rows; expected at most {max_rows:,} (dataset.max_rows)",
        hint="check whether the upstream export is correct; if it is: "
        f"--set dataset.max_rows={n_rows if is_complete else 'N'}",
    )
