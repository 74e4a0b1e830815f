"""Convert Arrow columns to the job's types, and count the cells that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.arrays import Array
from job.contracts.canonical_strings import CANONICALIZABLE, canonicalize
from job.contracts.dataset import Kind
from job.stages.data.ingest.times import (
    format_times,
    format_times_of_day,
    read_times,
)

# blanks of any kind, and characters that are not seen, such as a zero-width space or a NUL
_BLANK: Final = r"^[\pZ\pC\x{34f}\x{115f}\x{1160}\x{2800}\x{3164}\x{ffa0}\x{fe00}-\x{fe0f}]*$"
NAN_WORDS: Final = ("nan", "+nan", "-nan")
_UNITS_OF_A_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_TRUE: Final = ("true", "t", "yes", "y", "1", "1.0")
_FALSE: Final = ("false", "f", "no", "n", "0", "0.0")


def convert(array: pa.Array, kind: Kind, *, is_prose: bool = False) -> tuple[Array, int]:
    """Convert the cells of one batch of a column to `kind`.

    Parameters
    ----------
    array
        Cells in plain types, shape (n_rows,).
    is_prose
        Whether strings are texts, which are not changed.  Other strings, such as labels, are
        canonicalized.

    Returns
    -------
    values
        Converted cells, shape (n_rows,).  Depending on `kind`, these are objects (str or None),
        float32 (NaN if missing), or int64 microseconds UTC (`times.NO_TIME` if missing).
    n_unreadable
        Number of cells whose value cannot be converted to this kind.
    """
    match kind:
        case "string":
            values, n_unreadable = _strings(array)
            return (values if is_prose else _interned(_canonicalized(values))), n_unreadable
        case "number":
            values, n_unreadable = _numbers(array)
            is_infinite = np.isinf(values)  # in the file, or too large for float32
            values = np.where(is_infinite, np.float32(np.nan), values)
            return values, n_unreadable + int(is_infinite.sum())
        case "boolean":
            return _booleans(array)
        case "timestamp":
            return read_times(array)


def is_string(kind: pa.DataType) -> bool:
    """Return whether a plain Arrow type is a type of strings."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _strings(array: pa.Array) -> tuple[Array, int]:
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        return format_times(array)
    if pa.types.is_time(array.type):
        return format_times_of_day(array)
    if pa.types.is_floating(array.type):
        numbers = array.to_numpy(zero_copy_only=False)
        # NOTE: str() agrees with pandas; Arrow's cast would write 1e-07 as 1e-7
        return np.array([None if np.isnan(n) else str(n) for n in numbers], dtype=object), 0
    text = array if is_string(array.type) else pc.cast(array, pa.string())
    text.validate(full=True)  # Parquet readers do not check UTF-8
    is_blank = pc.fill_null(pc.match_substring_regex(text, _BLANK), True)
    values = text.to_numpy(zero_copy_only=False).astype(object)
    values[is_blank.to_numpy(zero_copy_only=False)] = None
    return values, 0


def _canonicalized(values: Array) -> Array:
    matches = pc.match_substring_regex(pa.array(values, pa.large_string()), CANONICALIZABLE)
    index = np.flatnonzero(pc.fill_null(matches, False).to_numpy(zero_copy_only=False))
    values[index] = [canonicalize(value) for value in values[index]]
    return values


def _interned(values: Array) -> Array:
    """Replace equal values by the same object, to save memory if there are few distinct ones."""
    codes, names = pd.factorize(values)  # code -1 (None) picks the appended item
    interned: Array = np.append(names, [None])[codes]
    return interned


def _numbers(array: pa.Array) -> tuple[Array, int]:
    if is_string(array.type):
        return _parsed_numbers(array)
    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.int8())
    if pa.types.is_duration(array.type):
        return _to_seconds(array), 0
    if not _is_numeric(array.type):
        return np.full(len(array), np.nan, np.float32), len(array) - array.null_count
    doubles = pc.cast(array, pa.float64(), safe=False)
    return _to_float32(doubles.to_numpy(zero_copy_only=False)), 0


def _to_seconds(array: pa.Array) -> Array:
    """Return durations of any unit in seconds."""
    units = pc.cast(array.view(pa.int64()), pa.float64(), safe=False)
    return _to_float32(units.to_numpy(zero_copy_only=False) / _UNITS_OF_A_SECOND[array.type.unit])


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


def _parsed_numbers(array: pa.Array) -> tuple[Array, int]:
    trimmed = pc.utf8_trim_whitespace(array)
    blank = pc.fill_null(pc.equal(trimmed, ""), True)
    filled = pc.if_else(blank, pa.scalar(None, trimmed.type), trimmed)
    try:
        values = pc.cast(filled, pa.float64()).to_numpy(zero_copy_only=False)
        return _to_float32(values), 0
    except pa.ArrowInvalid:
        cells = pd.Series(filled.to_numpy(zero_copy_only=False), dtype=object).str.lower()
    cells = cells.replace({"true": "1", "false": "0"})  # as in Parquet files
    parsed = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64)
    # NOTE: a cell with the text NaN is missing, not unreadable
    is_nan_text = cells.isin(NAN_WORDS).to_numpy()
    n_unreadable = int((np.isnan(parsed) & cells.notna().to_numpy() & ~is_nan_text).sum())
    return _to_float32(parsed), n_unreadable


def _to_float32(values: Array) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values, dtype=np.float64).astype(np.float32)


def _booleans(array: pa.Array) -> tuple[Array, int]:
    if not is_string(array.type):
        values, n_unreadable = _numbers(array)
        is_other = ~np.isin(values, (0, 1)) & ~np.isnan(values)
        return np.where(is_other, np.float32(np.nan), values), n_unreadable + int(is_other.sum())
    words = pc.utf8_lower(pc.utf8_trim_whitespace(array))
    is_true = _is_in(words, _TRUE)
    is_false = _is_in(words, _FALSE)
    blank = pc.fill_null(pc.equal(words, ""), True).to_numpy(zero_copy_only=False)
    values = np.where(is_true, 1.0, np.where(is_false, 0.0, np.nan)).astype(np.float32)
    return values, int((~is_true & ~is_false & ~blank).sum())


def _is_in(words: pa.Array, vocabulary: Sequence[str]) -> Array:
    matches = pc.is_in(words, value_set=pa.array(vocabulary, words.type))
    mask: Array = matches.to_numpy(zero_copy_only=False)
    return mask
