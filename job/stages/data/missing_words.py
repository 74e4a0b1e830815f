"""Recognize cells that only look like values: words for a missing value, and NUL characters.

The words are those that pandas, R, SQL databases and spreadsheets write for a missing value.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Mask, Strings

WORDS: Final = frozenset(
    {
        *("nan", "-nan", "+nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "nat"),
        *("na", "n/a", "n.a.", "n.a", "<na>", "#na", "#n/a", "#n/a n/a", "[na]", "(na)"),
        *("none", "null", "nil", "\\n", "(null)", "<null>", "[null]", "(none)", "<none>", "[none]"),
        *("undefined", "#null!", "#ref!", "#value!", "#name?", "#div/0!", "#num!"),
        *("-", "--", "---", "\u2013", "\u2014", "\u2212", "?", "."),
    }
)
_MAX_LENGTH: Final = 16  # a longer cell is not one of the words, even with blanks around it


def is_missing_word(cell: str) -> bool:
    """Return whether a cell is a word for a missing value; case and outer blanks do not count.

    >>> [is_missing_word(cell) for cell in ("NaN", " n/a", "\\\\N", "nanotech", "no")]
    [True, True, True, False, False]
    """
    return len(cell) <= _MAX_LENGTH and cell.strip().lower() in WORDS


def find_missing_words(values: Strings, expected: Collection[str] = ()) -> Mask:
    """Return which cells are words for a missing value, and are not among `expected`.

    Parameters
    ----------
    values
        Shape (n_rows,), object (str or None).

    Returns
    -------
    mask
        Shape (n_rows,).
    """
    is_found = np.zeros(len(values), dtype=bool)
    lengths = np.fromiter(
        (_MAX_LENGTH + 1 if value is None else len(value) for value in values), int, len(values)
    )
    index = np.flatnonzero(lengths <= _MAX_LENGTH)
    codes, words = pd.factorize(values[index])
    is_word = np.array([is_missing_word(w) and w not in expected for w in words], dtype=bool)
    is_found[index] = is_word[codes] if len(words) else False
    return is_found


def find_nul(values: Strings) -> Mask:
    """Return which cells have a NUL character, shape (n_rows,); `values` are str or None."""
    return np.fromiter(
        (value is not None and "\0" in value for value in values), dtype=bool, count=len(values)
    )
