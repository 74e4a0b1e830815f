"""The dataset: typed columns, one float32 matrix, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    FloatMatrix = npt.NDArray[np.float32]
    Strings = npt.NDArray[np.object_]
    Numbers = npt.NDArray[np.int64]

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

Kind = Literal["string", "number", "boolean", "timestamp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a role, in the job's own type.

    Attributes
    ----------
    name
        The settings' name of the column, after aliases.
    role
        target, text, numeric, categorical, boolean, timestamp, id or group.
    values
        Shape (n_rows,): object (str or None) for strings; float32 with NaN for numbers and
        booleans; int64 microseconds since 1970 UTC for timestamps, the least int64 for none.
    n_unreadable
        Cells that could not be read as this kind; they count as missing.
    """

    name: str
    role: str
    kind: Kind
    values: Any  # an ndarray whose dtype follows `kind`
    n_unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """The embedding matrix and what is wrong with it, row by row.

    Attributes
    ----------
    matrix
        Shape (n_rows, width), float32, C order; rows with a defect are zero.
    defects
        Shape (n_rows,), uint8: 0, or a key of `EMBEDDING_DEFECTS`.
    widths
        Shape (n_rows,), int32: numbers found in the cell; -1 where none could be read.
    """

    matrix: FloatMatrix
    defects: npt.NDArray[np.uint8]
    widths: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a table came from, by facts that can be checked later."""

    uri: str
    format: str
    n_bytes: int
    modified_at: datetime
    file_digest: str
    content_digest: str
    metadata: tuple[tuple[str, str], ...] = ()
    sidecar: tuple[tuple[str, str], ...] = ()
    ignored_columns: tuple[str, ...] = ()
    absent_columns: tuple[str, ...] = ()

    def note(self, name: str) -> str | None:
        """Return what the table says of itself under a name; the sidecar has the last word."""
        return dict(self.metadata + self.sidecar).get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Typed columns of one table, in file order.

    Attributes
    ----------
    n_rows
        Rows in the table.
    columns
        Every role column that the table has, embeddings apart.
    embeddings
        The matrix, or None where the table has none.
    """

    n_rows: int
    columns: tuple[Column, ...]
    embeddings: Embeddings | None
    provenance: Provenance

    def of_role(self, role: str) -> tuple[Column, ...]:
        """Return the columns of one role, in settings order."""
        return tuple(column for column in self.columns if column.role == role)

    def strings(self, role: str) -> Strings | None:
        """Return the values of a role that has one string column, or None."""
        found = self.of_role(role)
        return found[0].values if found else None

    def without(self, role: str) -> Dataset:
        """Leave out the columns of a role."""
        return replace(self, columns=tuple(c for c in self.columns if c.role != role))


class MatrixRows:
    """Some rows of a matrix, which is shared and not copied.

    Parameters
    ----------
    matrix
        Shape (n, width), float32, in C order, or `read` copies all of it each time.
    index
        Positions of the rows, from 0; they are not checked.
    """

    __slots__ = ("_index", "_matrix")

    def __init__(self, matrix: FloatMatrix, index: npt.NDArray[Any]) -> None:
        self._matrix, self._index = matrix, index

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows and width."""
        return len(self._index), self._matrix.shape[1]

    def take(self, index: npt.NDArray[Any]) -> MatrixRows:
        """Return the rows at these positions of this selection, or under this mask."""
        return MatrixRows(self._matrix, self._index[index])

    def read(self, rows: slice = slice(None), out: FloatMatrix | None = None) -> FloatMatrix:
        """Copy rows out of the matrix, or into another one, which is contiguous."""
        index = self._index[rows]
        # NOTE: positions are within the matrix; where numpy is to check them, it copies twice
        found: FloatMatrix = self._matrix.take(index, axis=0, out=out, mode="clip")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows that are fit to be trained or judged on.

    Attributes
    ----------
    y
        Labels, shape (n_rows,), object (str).
    leakage_keys
        Leakage keys, shape (n_rows,), object (str).
    text_keys
        Normalized texts, or the keys again where the table has no text.
    text
        Raw texts, or None where they are not used.
    embeddings
        Those of the rows, or None where they are not used.
    frame
        The numeric, categorical and boolean columns that are used, by name.
    templates
        Normalized texts with masked slots, and keys where there is none; None where the table has
        no text, or nobody asks.
    near_duplicate_groups
        The number of the family of near-duplicates that each row belongs to, shape (n_rows,);
        None before they are looked for.
    slices
        The slice of each row, a categorical column for each thing to slice by; None where the
        rows are not cut.
    positions
        Each row's place in the table, from 0, shape (n_rows,); None where nobody asks.
    """

    y: Strings
    leakage_keys: Strings
    text_keys: Strings
    text: Strings | None
    embeddings: MatrixRows | None
    frame: pd.DataFrame
    templates: Strings | None = None
    near_duplicate_groups: Numbers | None = None
    slices: pd.DataFrame | None = None
    positions: Numbers | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def groups(self) -> Numbers:
        """Number what stays on one side of every split: the row's group, else its family."""
        import numpy as np
        import pandas as pd

        is_grouped = self.leakage_keys != self.text_keys
        if self.near_duplicate_groups is not None and not is_grouped.any():
            return self.near_duplicate_groups
        own, _ = pd.factorize(self.leakage_keys, sort=True)
        if self.near_duplicate_groups is None:
            return own
        return np.where(
            is_grouped, own + self.near_duplicate_groups.max() + 1, self.near_duplicate_groups
        )

    def take(self, index: npt.NDArray[Any]) -> Rows:
        """Return the rows at these positions, or under this mask."""
        return Rows(
            y=self.y[index],
            leakage_keys=self.leakage_keys[index],
            text_keys=self.text_keys[index],
            text=None if self.text is None else self.text[index],
            embeddings=None if self.embeddings is None else self.embeddings.take(index),
            frame=self.frame.iloc[_positions(index)],
            templates=None if self.templates is None else self.templates[index],
            near_duplicate_groups=None
            if self.near_duplicate_groups is None
            else self.near_duplicate_groups[index],
            slices=None if self.slices is None else self.slices.iloc[_positions(index)],
            positions=None if self.positions is None else self.positions[index],
        )


def _positions(index: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return index.nonzero()[0] if index.dtype == bool else index
