"""The dataset: typed columns, one float32 matrix, and their provenance."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from job.contracts.matrix_rows import MatrixRows
from job.contracts.provenance import Provenance
from job.contracts.rows_in_cells import RowsInCells

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from job.contracts.arrays import Array, Floats32, Ints, Strings

OK: Final = 0
MISSING: Final = 1
UNREADABLE: Final = 2
WRONG_WIDTH: Final = 3
NOT_FINITE: Final = 4
EMBEDDING_DEFECTS: Final = {
    MISSING: "embeddings_missing",
    UNREADABLE: "embeddings_unreadable",
    WRONG_WIDTH: "embeddings_wrong_width",
    NOT_FINITE: "embeddings_not_finite",
}

_Values = TypeVar("_Values", "Strings", "Ints", "MatrixRows", "pd.DataFrame", None)
Kind = Literal["string", "number", "boolean", "timestamp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column with its role, converted to the job's own type.

    Attributes
    ----------
    name
        Name of the column in the settings, after aliases.
    role
        target, text, numeric, categorical, boolean, timestamp, id or group.
    values
        Shape (n_rows,): object (str or None) for strings; float32 with NaN for numbers and
        booleans; int64 microseconds since 1970 UTC for timestamps, the smallest int64 if missing.
    n_unreadable
        Cells that could not be converted to the type of the role; they count as missing.
    remedy
        If numbers are unreadable and their notation is known: the notation, and what reads it.
    n_missing_words
        Those among them that are words for a missing value, such as `NA`.
    notation
        Notation of the unreadable cells, a key of `NOTATIONS` in `job.stages.data.time_notation`.
    """

    name: str
    role: str
    kind: Kind
    values: Array  # the dtype follows `kind`
    n_unreadable: int = 0
    remedy: str | None = None
    n_missing_words: int = 0
    notation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """The embedding matrix, and what is wrong with each of its rows.

    Attributes
    ----------
    matrix
        Shape (n_rows, width), float32, C order; rows with a defect are zero.
    defects
        Shape (n_rows,), uint8: 0, or a key of `EMBEDDING_DEFECTS`.
    widths
        Shape (n_rows,), int32: number of values in the cell; -1 if it could not be read.
    """

    matrix: Floats32
    defects: npt.NDArray[np.uint8]
    widths: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Typed columns of one table, in file order.

    Attributes
    ----------
    n_rows
        Rows in the table.
    columns
        All columns of the table that have a role, except embeddings.
    embeddings
        The embedding matrix; None if the table has no embeddings.
    rows_in_cells
        Rows of CSV files that are in a cell of another row.
    """

    n_rows: int
    columns: tuple[Column, ...]
    embeddings: Embeddings | None
    provenance: Provenance
    rows_in_cells: RowsInCells = field(default_factory=RowsInCells)

    def of_role(self, role: str) -> tuple[Column, ...]:
        """Return the columns of one role, in the order of the settings."""
        return tuple(column for column in self.columns if column.role == role)

    def strings(self, role: str) -> Strings | None:
        """Return the values of the only column of a role; None if the role has no column."""
        columns = self.of_role(role)
        return columns[0].values if columns else None

    def without(self, role: str) -> Dataset:
        """Return the dataset without the columns of a role."""
        return replace(self, columns=tuple(c for c in self.columns if c.role != role))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Valid rows for training or evaluation.

    Attributes
    ----------
    y
        Labels, shape (n_rows,), object (str).
    leakage_keys
        Values that must not occur in both train and test, shape (n_rows,), object (str).
    text_keys
        Normalized texts; without a text column, digests of the embeddings or the features.
    text
        Raw texts; None if they are not used.
    embeddings
        Embeddings of the rows; None if they are not used.
    frame
        The numeric, categorical and boolean columns that are used, by name.
    templates
        Normalized texts in which ids, dates and amounts are masked; for rows without text, their
        keys.  None if the table has no text, or if templates are not needed.
    near_duplicate_groups
        Id of the group of near-duplicates of each row, shape (n_rows,); None until near-duplicates
        are grouped.
    person_ids
        Id of each row's person, shape (n_rows,); None until persons are numbered, after
        near-duplicates are grouped.
    slices
        One categorical column for each column to slice by, with the slice of each row; None if the
        rows are not sliced.
    positions
        Position of each row in the table, from 0, shape (n_rows,); None if they are not needed.
    """

    y: Strings
    leakage_keys: Strings
    text_keys: Strings
    text: Strings | None
    embeddings: MatrixRows | None
    frame: pd.DataFrame
    templates: Strings | None = None
    near_duplicate_groups: Ints | None = None
    person_ids: Ints | None = None
    slices: pd.DataFrame | None = None
    positions: Ints | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def groups(self) -> Ints:
        """Group id of each row, shape (n_rows,); every split keeps a group on one side.

        If the table has a group column, a row's group is the row's value in that column.  Otherwise
        it is the row's group of near-duplicates.
        """
        import numpy as np
        import pandas as pd

        is_grouped = self.leakage_keys != self.text_keys
        if self.near_duplicate_groups is not None and not is_grouped.any():
            return self.near_duplicate_groups
        key_groups, _ = pd.factorize(self.leakage_keys, sort=True)
        if self.near_duplicate_groups is None:
            return key_groups
        return np.where(
            is_grouped,
            key_groups + self.near_duplicate_groups.max() + 1,
            self.near_duplicate_groups,
        )

    @property
    def persons(self) -> Ints:
        """Id of each row's person, shape (n_rows,); published values are counted by person.

        A person is a value of the group column, or a set of near-duplicate groups that share e-mail
        addresses, phone numbers or ids (`job.stages.data.persons`).  Until persons are numbered,
        each group is a person.
        """
        return self.groups if self.person_ids is None else self.person_ids

    def with_groups(self, near_duplicate_groups: Ints) -> Rows:
        """Return a copy of the rows with these near-duplicate group ids, shape (n_rows,)."""
        return replace(self, near_duplicate_groups=near_duplicate_groups)

    def take(self, index: Array) -> Rows:
        """Return a selection of the rows: by positions, or by a boolean mask."""
        names = [field.name for field in fields(self)]
        return Rows(**{name: _take(getattr(self, name), index) for name in names})


def _take(values: _Values, index: Array) -> _Values:
    """Return a selection of the values of one field of `Rows`: by positions, or by a mask."""
    import pandas as pd

    if values is None:
        return None
    if isinstance(values, MatrixRows):
        return values.take(index)
    if isinstance(values, pd.DataFrame):
        return values.iloc[index.nonzero()[0] if index.dtype == bool else index]
    return values[index]
