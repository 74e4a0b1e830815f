"""Ends of bins of numbers: deciles, of which no row can be read."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.stages.data.slices import DisclosureRule

Array = np.ndarray[Any, Any]
_DECILES: Final = np.arange(1, 10) / 10
_MIN_NUMBERS: Final = 100  # known numbers that deciles are taken of
_MIN_CLUSTERS: Final = 20


def find_edges(
    cells: Array, clusters: Array, keys: Array, rule: DisclosureRule
) -> tuple[list[float], set[float]]:
    """Return the deciles, ascending, and those of them that so many rows hold that they are exact.

    The others are rounded to a step of a hundredth to a thousandth of the range between the first
    and the last.  Of fewer than 100 numbers, or of fewer than 20 units, there are none.

    Parameters
    ----------
    cells
        Shape (n_rows,), float32, NaN for none.
    clusters, keys
        Numbers of each row's unit and leakage key, shape (n_rows,).
    """
    known = np.isfinite(cells)
    values = cells[known]
    if len(values) < _MIN_NUMBERS or len(np.unique(clusters[known])) < _MIN_CLUSTERS:
        return [], set()
    deciles = np.quantile(values, _DECILES, method="inverted_cdf")
    ties = {
        _plain(value)
        for value in np.unique(deciles)
        for held in [keys[known][values == value]]
        if len(held) >= rule.min_rows and len(np.unique(held)) >= rule.min_groups
    }
    width = float(deciles[-1]) - float(deciles[0])
    edges = {*ties}
    if width > 0 and np.isfinite(width):
        step = 10.0 ** (np.floor(np.log10(width)) - 2)
        others = (value for value in deciles.tolist() if _plain(np.float32(value)) not in ties)
        edges |= {_plain(np.float32(round(value / step) * step)) for value in others}
    return sorted(edges), ties


def _plain(value: np.floating[Any]) -> float:
    """Return the shortest number that is this one as float32."""
    return float(str(np.float32(value)))
