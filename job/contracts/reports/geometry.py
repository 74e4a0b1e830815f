"""The geometry of embeddings: whether rows had length 1 before columns were scaled.

Restoring embeddings means mapping each row back to length 1, by a scale and an offset per column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from job.contracts.reports.part import Count, NineDecimals, NotPublished, Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Status = Literal["restored", "one_length", "too_few_rows", "too_wide", "not_found"]
_Figure = Annotated[NineDecimals, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AffineMap(NotPublished):
    """An affine map of some columns: it replaces the values x by `scale * x + offset`.

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


class Geometry(Part):
    """What is known about the rows' lengths: already 1, restorable to 1 by a map, or neither.

    The published numbers describe all embeddings together; none describes a single column.
    """

    status: Status = Field(
        description="`restored`: the map was found. `one_length`: the rows already have one "
        "length. `too_few_rows`: there are fewer distinct rows than unknowns, or fewer than 8 "
        "rows for each column. `too_wide`: the table has more columns than are examined. "
        "`not_found`: there is no such map, or its estimate is too imprecise."
    )
    n_rows: Count = Field(description="Training rows that were examined.")
    n_distinct_rows: Count = Field(description="Distinct rows among the examined rows.")
    width: Count = Field(description="Columns of the embeddings.")
    prefix: Count | None = Field(
        None,
        description="Number of leading columns that the map covers, or for which a map came "
        "closest; null if no map was fitted.",
    )
    n_columns: Count = Field(
        0, description="Leading columns that contribute to the length of the rows."
    )
    n_fitted_rows: Count = Field(0, description="Distinct rows that the map was fitted to.")
    n_held_out_rows: Count = Field(0, description="Distinct rows that the map was checked on.")
    singular_values: tuple[_Figure, _Figure] | None = Field(
        None,
        description="The two smallest singular values per row, of columns scaled to a standard "
        "deviation of 1.",
    )
    length_deviation: _Figure | None = Field(
        None, description="Root mean square of |length - 1| over the restored held-out rows."
    )
    cosine_error: NineDecimals | None = Field(
        None, description="Expected value of 1 - cosine between a restored row and its original."
    )
    # None unless the status is `restored`, or rows of one length are to keep their length
    map: SkipJsonSchema[AffineMap | None] = Field(None, exclude=True, repr=False)
