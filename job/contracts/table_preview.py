"""The beginning of a table: its columns, and the cells of its first rows.

A preview is read before the libraries of a run are loaded, to find the roles of the columns and to
refuse a table that cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# `text` for each column of a CSV file, whose cells have no type
ColumnType = Literal["text", "number", "boolean", "time", "list", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPreview:
    """One column and the cells of its first rows.

    Attributes
    ----------
    name
        Name in the file.
    type
        Type that the file states for the column.
    cells
        Cells of some rows, from the beginning of the table: None if a cell is missing, otherwise
        text, a number, a truth value, or for a list its number of values.  A cell of a CSV file is
        text; a time is text in the form of ISO 8601; a cell of the type `other` is the name of its
        type.
    """

    name: str
    type: ColumnType
    cells: tuple[str | float | bool | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePreview:
    """The columns of a table and its first rows.

    Attributes
    ----------
    n_rows
        Number of rows of the table; None if it is not known before the table is read.  It is
        known for a Parquet file, and for a CSV file that was read completely.
    format
        `csv` or `parquet`.
    delimiter, encoding
        How the CSV file is written: the character between two cells, and the name of the
        encoding in the settings (`dataset.csv.encoding`).  None for Parquet.
    """

    columns: tuple[ColumnPreview, ...]
    n_rows: int | None
    format: Literal["csv", "parquet"]
    delimiter: str | None = None
    encoding: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the file."""
        return tuple(column.name for column in self.columns)
