"""Counts of the rows that an open quote has moved into cells of other rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsInCells:
    """Rows of CSV files that are in a cell of another row, because a quote is not closed.

    Attributes
    ----------
    n_cells
        Cells that hold lines that look like rows.
    n_rows
        Such lines; the last line of a cell can be missing in the count.
    n_open_lines
        Lines of the cells in which files end; 0 if each file ends outside of quotes.
    """

    n_cells: int = 0
    n_rows: int = 0
    n_open_lines: int = 0

    def __add__(self, other: RowsInCells) -> RowsInCells:
        """Return the sum of the counts of two files."""
        return RowsInCells(
            n_cells=self.n_cells + other.n_cells,
            n_rows=self.n_rows + other.n_rows,
            n_open_lines=self.n_open_lines + other.n_open_lines,
        )
