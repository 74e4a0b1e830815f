"""Rows of length 1 behind a table of embeddings, and the affine map that restores them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Status = Literal["restored", "one_length", "too_few_rows", "too_wide", "not_found"]
_DECIMALS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class AffineMap:
    """An affine map of selected columns, each by itself: `scale * x + offset`.

    Attributes
    ----------
    columns
        Positions of the selected columns, increasing, shape (n_columns,).
    scale, offset
        Shape (n_columns,); scales are positive.
    """

    columns: npt.NDArray[np.int64]
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Whether an affine map per column was applied to rows of length 1, and its inverse.

    Attributes
    ----------
    status
        `restored`: the map was found. `one_length`: the rows already have one length.
        `too_few_rows`: there are fewer distinct rows than unknowns. `too_wide`: the table has more
        columns than are examined. `not_found`: there is no such map, or its estimate is too
        imprecise.
    n_rows, n_distinct_rows
        Rows that were examined.
    width
        Columns of the table.
    prefix
        Number of leading columns that the map covers, or that came closest; None if nothing was
        fitted.
    n_columns
        Columns of the prefix that contribute to the length of the rows.
    n_fitted_rows, n_held_out_rows
        Distinct rows that the map was fitted to, and that it was checked on.
    singular_values
        The two smallest ones, of columns scaled to a standard deviation of 1, per row.
    length_deviation
        Root mean square of |length - 1| over the restored held-out rows.
    cosine_error
        Expected 1 - cosine of restored rows to the original ones.
    map
        None unless the status is `restored`, or the length of rows of one length is to be kept.
    """

    status: Status
    n_rows: int
    n_distinct_rows: int
    width: int
    prefix: int | None = None
    n_columns: int = 0
    n_fitted_rows: int = 0
    n_held_out_rows: int = 0
    singular_values: tuple[float, float] | None = None
    length_deviation: float | None = None
    cosine_error: float | None = None
    map: AffineMap | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return counts and figures of the whole table, without statistics of columns."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "map"}
        if self.singular_values is not None:
            values["singular_values"] = [round(v, _DECIMALS) for v in self.singular_values]
        for name in ("length_deviation", "cosine_error"):
            values[name] = None if values[name] is None else round(values[name], _DECIMALS)
        return values
