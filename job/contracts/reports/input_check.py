"""Bounds with which a consumer detects batches that do not resemble the training table."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from job.contracts.reports.part import NonNegative, Part


class InputCheck(Part):
    """A statistic of a batch, and the bounds within which the batch resembles the training table.

    The bounds are constants; they are not computed from rows.
    """

    measure: Literal["length_deviation", "column_means"] = Field(
        description="`length_deviation`: root mean square of length - 1 over the rows, after the "
        "model has mapped them back to length 1. `column_means`: number of rows times the mean "
        "squared column mean, divided by the mean variance of a column."
    )
    lower: NonNegative = Field(description="Minimum of the statistic.")
    upper: Annotated[float, Field(gt=0)] | None = Field(description="null: no upper bound.")
    min_rows: Annotated[int, Field(ge=1)] = Field(
        description="Minimum number of rows of a batch that can be checked."
    )
