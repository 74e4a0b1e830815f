"""Times are read cell by cell: no cell changes the value or the precision of another cell."""

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job.stages.data.ingest.cells import convert
from job.stages.data.ingest.times import NO_TIME

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SOUND = "2026-01-02T03:04:05.123456Z"
SOUND_MICROS = (datetime(2026, 1, 2, 3, 4, 5, 123456, UTC) - EPOCH) // timedelta(microseconds=1)
ODD = (
    "2026-01-02T03:04:05.123456789Z",
    "2026-01-02T03:04:05.1234567",
    "2026-01-02T03:04:05.123456789+02:00",
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:00:00-14:00",
    "0000-01-01",
    "10000-01-01",
    "1500-06-01",
    "now",
    "today",
    "NaT",
    "x",
    "",
    None,
)


def read(cells, kind=None):
    values, n_unreadable = convert(pa.array(cells, kind), "timestamp")
    return values.tolist(), n_unreadable


@pytest.mark.parametrize("odd", ODD)
def test_one_cell_does_not_change_its_neighbors(odd):
    """Such as a cell in nanoseconds or of the year 1."""
    values, _ = read([SOUND, odd, "9999-12-31", "0001-01-01"], pa.string())

    first, last = (
        (datetime(year, month, day, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
        for year, month, day in ((1, 1, 1), (9999, 12, 31))
    )
    assert [SOUND_MICROS, last, first] == [values[0], values[2], values[3]]


@given(cells=st.lists(st.sampled_from([SOUND, *ODD]), min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_column_is_the_column_of_its_cells(cells):
    """Each cell gives what it gives alone, and is counted as it is counted alone."""
    alone = [read([cell], pa.string()) for cell in cells]

    assert ([values[0] for values, _ in alone], sum(n for _, n in alone)) == read(
        cells, pa.string()
    )


@pytest.mark.parametrize("cell", ["now", "today", "0000-01-01", "10000-01-01", "x"])
def test_cells_without_a_time_are_unreadable(cell):
    """The words `now` and `today` would be the time of the run."""
    assert ([NO_TIME, SOUND_MICROS], 1) == read([cell, SOUND])


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))
@settings(max_examples=100, deadline=None)
def test_units_and_text_give_one_time(moment):
    """Each unit that can hold the time, and its text, are the same microseconds."""
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    micros = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)

    for unit in ("ms", "us"):
        assert ([micros], 0) == read([moment], pa.timestamp(unit))
    assert ([micros], 0) == read([f"{moment.isoformat()}000000Z".replace("000000Z", "Z")])
    assert ([micros], 0) == read(
        [f"{moment.replace(microsecond=0).isoformat()}.{moment.microsecond:06d}999Z"]
    )


def test_nanoseconds_before_1970_are_cut_as_in_text():
    """The time before the cut is not later than the time after."""
    assert read(["1969-12-31T23:59:59.999999999Z"]) == read([-1], pa.timestamp("ns"))


@pytest.mark.parametrize(
    "array",
    [
        pa.array([2**62, 0], pa.timestamp("s")),
        pa.array([-(2**62), 0], pa.timestamp("ms")),
        pa.array([2**62, 0], pa.timestamp("us")),
        pa.array([2**30, 0], pa.int32()).cast(pa.date32()),
        pa.array([2**60 // 86_400_000 * 86_400_000, 0], pa.int64()).cast(pa.date64()),
    ],
    ids=lambda array: str(array.type),
)
def test_typed_time_out_of_range_is_unreadable(array):
    """It does not become another time, and its neighbor is read."""
    values, n_unreadable = convert(array, "timestamp")
    texts, n_texts = convert(array, "string")

    assert ([NO_TIME, 0], 1) == (values.tolist(), n_unreadable)
    assert ([None, "1970-01-01"], 1) == (texts.tolist(), n_texts)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("moment", [time(9, 30), time(0, 0), time(23, 59, 59)])
def test_times_of_day_are_labels_as_in_csv(unit, moment):
    """Whatever the unit is."""
    kind = pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
    values, n_unreadable = convert(pa.array([moment, None], kind), "string")

    assert ([str(moment), None], 0) == (values.tolist(), n_unreadable)


def test_fractions_of_times_of_day_are_kept():
    """Six digits as in Python, nine if there are nanoseconds."""
    kind = pa.time64("ns")
    cells = pa.array([250_000_000, 1, -1, 86_400 * 10**9], pa.int64()).view(kind)

    assert (["00:00:00.250000", "00:00:00.000000001", None, None], 2) == (
        convert(cells, "string")[0].tolist(),
        convert(cells, "string")[1],
    )


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_durations_are_seconds(unit):
    """In a column of numbers, whatever the unit is."""
    values, n_unreadable = convert(
        pa.array([timedelta(seconds=90), None], pa.duration(unit)), "number"
    )

    np.testing.assert_array_equal([90, np.nan], values)
    assert 0 == n_unreadable
