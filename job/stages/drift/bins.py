"""Compute bin edges of a numeric column: deciles that do not disclose any single row's value.

How it works
------------
1. Compute the nine deciles of the known values.  With too few values or groups there are no bins.
2. If enough rows and persons have exactly the value of a decile, the decile stays exact and
   gets a bin of its own.
3. The other deciles are rounded to a coarse step, so that they disclose no row's exact value.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.contracts.arrays import Array
from job.stages.data.slices import DisclosureRule

_DECILES: Final = np.arange(1, 10) / 10
_MIN_VALUES: Final = 100
_MIN_GROUPS: Final = 20


def find_edges(
    values: Array, group_codes: Array, person_codes: Array, rule: DisclosureRule
) -> tuple[list[float], set[float]]:
    """Return the deciles in ascending order, and the set of deciles that are exact.

    A decile is exact if enough rows and persons have its value (`rule`).  The other deciles
    are rounded to a step of a thousandth to a hundredth of the range between the first and the last
    decile.  Both results are empty for fewer than 100 values or 20 groups.

    Parameters
    ----------
    values
        Cells of the column, shape (n_rows,), float32, NaN for missing values.
    group_codes, person_codes
        Group id of each row, and number of the row's person, shape (n_rows,).
    """
    is_known = np.isfinite(values)
    known_values = values[is_known]
    if len(known_values) < _MIN_VALUES or len(np.unique(group_codes[is_known])) < _MIN_GROUPS:
        return [], set()
    deciles = np.quantile(known_values, _DECILES, method="inverted_cdf")
    ties = {
        _shortest_float(value)
        for value in np.unique(deciles)
        for tied_persons in [person_codes[is_known][known_values == value]]
        if len(tied_persons) >= rule.min_rows and len(np.unique(tied_persons)) >= rule.min_groups
    }
    width = float(deciles[-1]) - float(deciles[0])
    edges = {*ties}
    if width > 0 and np.isfinite(width):
        step = 10.0 ** (np.floor(np.log10(width)) - 2)
        others = (
            value for value in deciles.tolist() if _shortest_float(np.float32(value)) not in ties
        )
        edges |= {_shortest_float(np.float32(round(value / step) * step)) for value in others}
    return sorted(edges), ties


def _shortest_float(value: np.floating[Any]) -> float:
    """Return the float with the fewest decimal digits that is equal to the value in float32."""
    return float(str(np.float32(value)))
