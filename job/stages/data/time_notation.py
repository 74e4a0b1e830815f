"""Recognize the notation of times that are not ISO 8601; nothing is converted.

`03/04/2026` is in March or in April: a guess would give wrong times without a sign.  So the cells
count as missing, and the message names the notation and what to change.

How it works
------------
1. Each unreadable cell is compared with the patterns of the notations.
2. A notation is named if at least 90% of the cells have it.
3. Whether days come before months is decided by the cells in which one of them is above 12.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

NOTATIONS: Final = {
    "day_first": "dates with the day first, such as 31/12/2026",
    "month_first": "dates with the month first, such as 12/31/2026",
    "day_or_month_first": "dates such as 01/02/2026, with the day or the month first",
    "two_digit_year": "dates with two digits of the year, such as 31/12/26",
    "names_of_months": "dates with names of months, such as 31 Dec 2026",
    "epoch_seconds": "seconds since 1970, such as 1798761599",
    "epoch_milliseconds": "milliseconds since 1970, such as 1798761599000",
    "epoch_microseconds": "microseconds since 1970, such as 1798761599000000",
    "epoch_nanoseconds": "nanoseconds since 1970, such as 1798761599000000000",
    "spreadsheet_days": "days as spreadsheets count them, such as 46387",
    "time_of_day": "times of the day without a date, such as 23:59",
    "iso_8601": "ISO 8601 times, such as 2026-12-31T23:59:59Z",
}
MAX_CELLS: Final = 1000  # a sample of the unreadable cells is enough
_MIN_SHARE: Final = 0.9
_MAX_LENGTH: Final = 64  # characters of a time
_PARTS: Final = re.compile(
    r"(\d{1,2})([/.\-\s])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?!\d)[,T\s]*(?:\d.*)?"
)
_NAMES: Final = re.compile(
    r"(?i)(?:[a-z]{3,9}\.?,?\s+)?(?:\d{1,2}(?:st|nd|rd|th|\.)?[\s\-/]*)?"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|mär|okt|dez|janv|févr|avr|juin|juil|"
    r"août|déc|ene|abr|ago|dic)[a-zéûä]*\.?[\s\-/,]*\d{1,4}.*"
)
_TIME_OF_DAY: Final = re.compile(r"(?i)\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([ap]\.?m\.?)?")
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?")
_NUMBER: Final = re.compile(r"\d{4,19}(?:[.,]\d+)?")
_EPOCHS: Final = (  # from 1990 to 2100, in seconds, and the factor of the unit
    ("epoch_seconds", 1),
    ("epoch_milliseconds", 10**3),
    ("epoch_microseconds", 10**6),
    ("epoch_nanoseconds", 10**9),
)
_FIRST_SECOND: Final = 631_152_000
_LAST_SECOND: Final = 4_102_444_800
_DAYS: Final = (20_000, 80_000)  # from 1954 to 2119, counted from 1900


def find_notation(cells: Sequence[str]) -> str | None:
    """Return the key of `NOTATIONS` that at least 90% of the cells have; None if there is none.

    >>> find_notation(["24/12/2026", "01/02/2026"]), find_notation(["soon", "later"])
    ('day_first', None)
    """
    counts = Counter(_classify(cell.strip()) for cell in cells[:MAX_CELLS])
    n_cells = sum(counts.values())
    n_dates = sum(counts[name] for name in ("day_first", "month_first", "day_or_month_first"))
    if n_cells and n_dates >= _MIN_SHARE * n_cells:
        has_both = counts["day_first"] > 0 and counts["month_first"] > 0
        is_open = has_both or not (counts["day_first"] or counts["month_first"])
        if is_open:
            return "day_or_month_first"
        return "day_first" if counts["day_first"] else "month_first"
    name, count = next(iter(counts.most_common(1)), (None, 0))
    return name if count >= _MIN_SHARE * n_cells else None


def _classify(cell: str) -> str | None:
    if len(cell) > _MAX_LENGTH:
        return None
    if _NUMBER.fullmatch(cell):
        return _classify_number(float(cell.replace(",", ".")))
    if match := _PARTS.fullmatch(cell):
        return _classify_date(int(match[1]), int(match[3]), match[4])
    if _ISO.fullmatch(cell):
        return "iso_8601"
    if _TIME_OF_DAY.fullmatch(cell):
        return "time_of_day"
    return "names_of_months" if _NAMES.fullmatch(cell) else None


def _classify_number(number: float) -> str | None:
    for name, factor in _EPOCHS:
        if _FIRST_SECOND * factor <= number <= _LAST_SECOND * factor:
            return name
    return "spreadsheet_days" if _DAYS[0] <= number <= _DAYS[1] else None


def _classify_date(first: int, second: int, year: str) -> str | None:
    if len(year) == 2:
        return "two_digit_year"
    if first > 12:
        return "day_first" if first <= 31 and second <= 12 else None
    return "month_first" if 12 < second <= 31 else "day_or_month_first" if second <= 12 else None
