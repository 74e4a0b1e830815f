"""Collect a sample of the cells of a column that cannot be read, to name their notation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.arrays import Array
from job.stages.data.ingest.cells import NAN_WORDS, is_string
from job.stages.data.ingest.times import NO_TIME
from job.stages.data.missing_words import WORDS
from job.stages.data.time_notation import MAX_CELLS, find_notation

_WORDS: Final = sorted(WORDS - set(NAN_WORDS))  # the text NaN is missing in a column of numbers


@dataclass(slots=True)
class UnreadableCells:
    """A sample of unreadable cells, and the number of words for a missing value among all of them.

    The cells stay in memory until the column is complete, and are never shown.
    """

    n_missing_words: int = 0
    _cells: list[str] = field(default_factory=list, repr=False)

    def add(self, array: pa.Array, values: Array) -> None:
        """Add a batch: the cells of the file, and the values that they were converted to."""
        is_missing = values == NO_TIME if values.dtype == np.int64 else _find_missing(values)
        index = np.flatnonzero(is_missing & array.is_valid().to_numpy(zero_copy_only=False))
        if pa.types.is_nested(array.type) or not len(index):
            return
        cells = array.take(pa.array(index))
        if is_string(array.type):
            words = pc.utf8_lower(pc.utf8_trim_whitespace(cells))
            is_word = pc.is_in(words, value_set=pa.array(_WORDS, words.type))
            is_nan = pc.is_in(words, value_set=pa.array(NAN_WORDS, words.type))
            self.n_missing_words += pc.sum(is_word).as_py()
            cells = cells.filter(pc.invert(pc.or_(is_word, is_nan)))
        self._cells += _as_texts(cells[: MAX_CELLS - len(self._cells)])

    def find_notation(self) -> str | None:
        """Return the notation of most of the cells in the sample; None if there is none."""
        return find_notation(self._cells)


def _as_texts(cells: pa.Array) -> list[str]:
    """Return cells as texts; none if their type has no text, and so no notation."""
    try:
        return [text for text in pc.cast(cells, pa.string()).to_pylist() if text is not None]
    except (pa.ArrowException, UnicodeDecodeError):
        return []


def _find_missing(values: Array) -> Array:
    if values.dtype == object:
        return np.array([value is None for value in values], dtype=bool)
    missing: Array = np.isnan(values)
    return missing
