"""Convert Arrow columns to the job's types, and count the cells that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.arrays import Array
from job.contracts.canonical_strings import CANONICALIZABLE, canonicalize
from job.contracts.dataset import Kind

NO_TIME: Final = np.iinfo(np.int64).min
# blanks of any kind, and characters that are not seen, such as a zero-width space or a NUL
_BLANK: Final = r"^[\pZ\pC\x{34f}\x{115f}\x{1160}\x{2800}\x{3164}\x{ffa0}\x{fe00}-\x{fe0f}]*$"
NAN_WORDS: Final = ("nan", "+nan", "-nan")
_TRUE: Final = ("true", "t", "yes", "y", "1", "1.0")
_FALSE: Final = ("false", "f", "no", "n", "0", "0.0")


def convert(array: pa.Array, kind: Kind, *, is_prose: bool = False) -> tuple[Array, int]:
    """Convert the cells of one batch of a column to `kind`.

    Parameters
    ----------
    is_prose
        Whether strings are texts, which are not changed.  Other strings, such as labels, are
        canonicalized.

    Returns
    -------
    values
        Converted cells, shape (n_rows,).  Depending on `kind`, these are objects (str or None),
        float32 (NaN if missing), or int64 microseconds UTC (`NO_TIME` if missing).
    n_unreadable
        Number of cells whose value cannot be converted to this kind.
    """
    plain = decoded(array)
    match kind:
        case "string":
            values, n_unreadable = _strings(plain)
            return (values if is_prose else _interned(_canonicalized(values))), n_unreadable
        case "number":
            values, n_unreadable = _numbers(plain)
            is_infinite = np.isinf(values)  # in the file, or too large for float32
            values = np.where(is_infinite, np.float32(np.nan), values)
            return values, n_unreadable + int(is_infinite.sum())
        case "boolean":
            return _booleans(plain)
        case "timestamp":
            return _timestamps(plain)


def decoded(array: pa.Array) -> pa.Array:
    """Decode a dictionary-encoded array or views of strings; return other arrays unchanged."""
    if pa.types.is_string_view(array.type):  # few functions take them
        return array.cast(pa.large_string())
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def count_undecodable(array: pa.Array) -> int:
    """Count the cells of a batch that are not valid UTF-8."""
    plain = decoded(array)
    cells = pc.cast(plain, pa.large_binary()).to_pylist() if is_string(plain.type) else []
    return sum("\ufffd" in cell.decode(errors="replace") for cell in cells if cell is not None)


def is_string(kind: pa.DataType) -> bool:
    """Return whether an Arrow type, as `decoded` returns it, is a type of strings."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _strings(array: pa.Array) -> tuple[Array, int]:
    if pa.types.is_nested(array.type):
        return np.full(len(array), None, dtype=object), len(array) - array.null_count
    if pa.types.is_timestamp(array.type):
        micros = _timestamps(array)[0].view("datetime64[us]")
        texts = np.datetime_as_string(micros).astype(object)
        texts[np.isnat(micros)] = None
        return texts, 0
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
    if not _is_numeric(array.type):
        return np.full(len(array), np.nan, np.float32), len(array) - array.null_count
    doubles = pc.cast(array, pa.float64(), safe=False)
    return _to_float32(doubles.to_numpy(zero_copy_only=False)), 0


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


def _timestamps(array: pa.Array) -> tuple[Array, int]:
    n_rows, n_present = len(array), len(array) - array.null_count
    if pa.types.is_null(array.type):
        return np.full(n_rows, NO_TIME), 0
    if is_string(array.type):
        trimmed = pc.utf8_trim_whitespace(array)
        cells = pd.Series(trimmed.to_numpy(zero_copy_only=False), dtype=object)
        cells = cells.where(cells != "", None)
        parsed = pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce")
        micros = _to_microseconds(parsed)
        return micros, int((parsed.isna() & cells.notna()).sum())
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        zone = "UTC" if getattr(array.type, "tz", None) else None
        times = pc.cast(array, pa.timestamp("us", tz=zone), safe=False)
        integers = pc.fill_null(pc.cast(times, pa.int64()), int(NO_TIME))
        return integers.to_numpy(zero_copy_only=False), 0
    return np.full(n_rows, NO_TIME), n_present


def _to_microseconds(times: pd.Series[Any]) -> Array:
    micros = times.dt.tz_localize(None).astype("datetime64[us]").to_numpy().view(np.int64)
    values: Array = micros
    return values
