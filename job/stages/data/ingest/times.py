"""Convert times to microseconds UTC, and times of day to text.

How it works
------------
1. Each cell is converted on its own: a cell in nanoseconds, or of a year that cannot be read, does
   not change other cells.
2. Fractions of a microsecond are cut off.  A time without a zone is in UTC.
3. A time outside the years 1 to 9999 is unreadable, because Python has no such times.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.arrays import Array

NO_TIME: Final = np.iinfo(np.int64).min
_FIRST: Final = np.datetime64("0001-01-01", "us").astype(np.int64)
_LAST: Final = np.datetime64("9999-12-31T23:59:59.999999", "us").astype(np.int64)
_MICROSECONDS: Final = {"s": 10**6, "ms": 10**3, "us": 1, "D": 86_400 * 10**6}
_NANOSECONDS_OF_DAY: Final = 86_400 * 10**9
_LONGEST: Final = len("2026-01-02T03:04:05.123456")  # without digits after the microseconds
_RELATIVE: Final = ("now", "today")  # pandas replaces them by the current time


def read_times(array: pa.Array) -> tuple[Array, int]:
    """Convert text in ISO 8601, timestamps or dates.

    Returns
    -------
    micros
        int64 microseconds UTC, shape (n_rows,); `NO_TIME` if missing or unreadable.
    n_unreadable
        Number of cells that are present and unreadable.
    """
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        micros, is_present = _scale(array)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        micros, is_present = _parse(array)
    else:
        is_missing = array.is_null(nan_is_null=pa.types.is_floating(kind))
        return np.full(len(array), NO_TIME), len(array) - pc.sum(is_missing).as_py()
    is_outside = is_present & ((micros < _FIRST) | (micros > _LAST))
    micros[is_outside] = NO_TIME
    return micros, int(is_outside.sum())


def _scale(array: pa.Array) -> tuple[Array, Array]:
    """Return the times of a column of timestamps or dates, and a mask of those that are present."""
    # NOTE: the integers are in UTC, and a cast of timestamps needs the name of the zone
    is_days = pa.types.is_date32(array.type)
    integers = array.view(pa.int32() if is_days else pa.int64())
    is_present = integers.is_valid().to_numpy(zero_copy_only=False)
    values = pc.fill_null(integers, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    unit = "D" if is_days else getattr(array.type, "unit", "ms")
    if unit == "ns":
        values //= 1000
    elif unit != "us":
        factor = _MICROSECONDS[unit]
        # NOTE: a product that exceeds int64 would be another time
        values = np.clip(values, _FIRST // factor - 1, _LAST // factor + 1) * factor
    values[~is_present] = NO_TIME
    return values, is_present


def _parse(array: pa.Array) -> tuple[Array, Array]:
    """Return the times of a column of text, and a mask of those that are present."""
    trimmed = pc.utf8_trim_whitespace(array)
    if (pc.max(pc.binary_length(trimmed)).as_py() or 0) > _LONGEST:
        # NOTE: one cell in nanoseconds would make pandas read all cells in this unit
        trimmed = pc.replace_substring_regex(trimmed, r"(\.\d{6})\d+", r"\1")
    is_relative = pc.is_in(trimmed, value_set=pa.array(_RELATIVE, trimmed.type))
    if pc.any(is_relative).as_py():
        trimmed = pc.if_else(is_relative, "?", trimmed)
    cells = pd.Series(trimmed.to_numpy(zero_copy_only=False), dtype=object)
    cells = cells.where(cells != "", None)
    parsed = pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce")
    return _to_microseconds(parsed), cells.notna().to_numpy()


def _to_microseconds(times: pd.Series[Any]) -> Array:
    micros = times.dt.tz_localize(None).astype("datetime64[us]").to_numpy().view(np.int64)
    writable: Array = micros.copy()
    return writable


def format_times(array: pa.Array) -> tuple[Array, int]:
    """Return timestamps in the form of ISO 8601 and dates as `2026-01-02`, and the unreadable."""
    micros, n_unreadable = read_times(array)
    unit = "D" if pa.types.is_date(array.type) else "us"
    times = micros.view("datetime64[us]")
    texts = np.datetime_as_string(times.astype(f"datetime64[{unit}]")).astype(object)
    texts[np.isnat(times)] = None
    return texts, n_unreadable


def format_times_of_day(array: pa.Array) -> tuple[Array, int]:
    """Return times of day such as `09:30:00` or `09:30:00.250000`, and the number of unreadable.

    The unit of the column makes no difference.
    """
    nanoseconds = pc.cast(array, pa.time64("ns"))
    integers = nanoseconds.view(pa.int64())
    is_time = pc.and_(
        pc.greater_equal(integers, 0), pc.less(integers, pa.scalar(_NANOSECONDS_OF_DAY))
    )
    texts = pc.cast(nanoseconds, pa.large_string())
    texts = pc.replace_substring_regex(texts, r"\.0{9}$", "")
    texts = pc.replace_substring_regex(texts, r"(\.\d{6})000$", r"\1")
    readable = pc.if_else(is_time, texts, pa.scalar(None, texts.type))
    n_unreadable = readable.null_count - array.null_count
    return readable.to_numpy(zero_copy_only=False).astype(object), n_unreadable
