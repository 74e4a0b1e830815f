"""Learn how the cells of each column of a CSV file look, and compare other cells with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_MOSTLY: Final = 0.99
_MAX_CATEGORIES: Final = 1000
_MAX_CATEGORY_BYTES: Final = 100
_MAX_DISTINCT: Final = 0.8  # of the cells; a small table of many classes repeats few labels
_LARGE_SAMPLE: Final = 100
# numbers, percentages, dates and times, in any notation
_DIGITS: Final = r"^\s*[+\-$€£]?\d[\d.,:+\-/TZeE%$€£' ]*$"

Mask = Any  # shape (n_cells,), bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLook:
    """How the cells of one column look.

    Attributes
    ----------
    kind
        `digits` for numbers and times; `category` if short values repeat; otherwise `free`.
    values
        The values of a category.
    lengths
        Length that a cell has at least and at most, in bytes: the length of the shortest cell,
        divided by two, and twice that of the longest one; by four in a small sample.
    """

    kind: Literal["digits", "category", "free"]
    values: pa.Array
    lengths: tuple[int, int]
    has_blanks: bool
    has_indents: bool

    @classmethod
    def of(cls, cells: pa.Array) -> Self:
        """Describe the cells of a column; without cells, any cell looks like them."""
        is_blank = _is_blank(cells)
        present = cells.filter(pa.array(~is_blank))
        values = present.unique()
        is_digits = _share(pc.match_substring_regex(present, _DIGITS)) >= _MOSTLY
        bounds = pc.min_max(pc.binary_length(present)).as_py() if len(present) else {}
        shortest, longest = bounds.get("min", 0), bounds.get("max", 2**31)
        is_repeated = len(values) <= min(_MAX_CATEGORIES, _MAX_DISTINCT * len(present))
        kind: Literal["digits", "category", "free"] = "free"
        if len(present) and is_digits:
            kind = "digits"
        elif is_repeated and longest <= _MAX_CATEGORY_BYTES:
            kind = "category"
        factor = 2 if len(present) >= _LARGE_SAMPLE else 4  # other rows have longer cells
        return cls(
            kind=kind,
            values=values if kind == "category" else values.slice(0, 0),
            lengths=(shortest // factor, longest * factor),
            has_blanks=bool(is_blank.any()) or not len(present),
            has_indents=not len(present) or _share(pc.starts_with(present, " ")) > 1 - _MOSTLY,
        )

    def with_values(self, cells: pa.Array) -> CellLook:
        """Return the look of a category that has the values of these cells, too."""
        known = pa.concat_arrays([self.values, cells.unique()])
        return replace(self, values=known.unique())

    def fits(self, cells: pa.Array) -> Mask:
        """Return which cells look like those of the column, shape (n_cells,)."""
        is_blank = _is_blank(cells)
        if self.kind == "digits":
            is_alike = _to_mask(pc.match_substring_regex(cells, _DIGITS))
        elif self.kind == "category":
            is_alike = _to_mask(pc.is_in(cells, value_set=self.values))
        else:
            lengths = pc.binary_length(cells).to_numpy(zero_copy_only=False)
            is_alike = (lengths >= self.lengths[0]) & (lengths <= self.lengths[1])
        if not self.has_indents:
            is_alike &= ~_to_mask(pc.starts_with(cells, " "))
        return np.where(is_blank, self.has_blanks, is_alike)


def _is_blank(cells: pa.Array) -> Mask:
    return _to_mask(pc.equal(pc.utf8_trim_whitespace(cells), ""))


def _share(matches: pa.Array) -> float:
    return float(pc.mean(matches).as_py() or 0.0)


def _to_mask(matches: pa.Array) -> Mask:
    return pc.fill_null(matches, False).to_numpy(zero_copy_only=False)
