"""Bounds that a consumer compares a batch with before the model predicts it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCheck:
    """A statistic of a batch, and the bounds within which the batch is like the training table.

    Attributes
    ----------
    measure
        `length_deviation`: root mean square of length - 1 over the rows that the model's own steps
        restore. `column_means`: number of rows times the mean squared column mean, divided by the
        mean variance of a column.
    upper
        None if there is no upper bound.
    min_rows
        Minimum number of rows of a batch that can be checked.
    """

    measure: Literal["length_deviation", "column_means"]
    lower: float
    upper: float | None
    min_rows: int

    def to_json(self) -> dict[str, Any]:
        """Return the part `input_check` of metadata.json and evaluation.json."""
        return asdict(self)
