"""The notation of unreadable times is named, and never guessed from a few cells."""

import pytest

from job.stages.data.time_notation import NOTATIONS, find_notation


@pytest.mark.parametrize(
    ("cells", "notation"),
    [
        (["24/12/2026", "01/02/2026"], "day_first"),
        (["24.12.2026 10:15", "1.2.2026 09:00"], "day_first"),
        (["24-12-2026"], "day_first"),
        (["12/24/2026 11:59 PM", "01/02/2026 1:00 AM"], "month_first"),
        (["01/02/2026", "11/12/2026"], "day_or_month_first"),
        (["24/12/2026", "12/24/2026"] * 5, "day_or_month_first"),
        (["24/12/26", "01.02.99"], "two_digit_year"),
        (["3 Jan 2026", "14-Feb-2026"], "names_of_months"),
        (["January 3, 2026"], "names_of_months"),
        (["Sat, 03 Jan 2026 10:00:00 GMT"], "names_of_months"),
        (["3. März 2026"], "names_of_months"),
        (["1700000000", "1700000000.25"], "epoch_seconds"),
        (["1700000000000"], "epoch_milliseconds"),
        (["1700000000000000"], "epoch_microseconds"),
        (["1700000000000000000"], "epoch_nanoseconds"),
        (["45000", "45000.5", "46387"], "spreadsheet_days"),
        (["23:59", "1:05 pm"], "time_of_day"),
        (["2026-12-31", "2026-12-31T10:00"], "iso_8601"),
        (["soon", "later"], None),
        (["24/12/2026", "soon"], None),
        (["123", "12345678901234567890123"], None),
        (["99/99/2026"], None),
        ([], None),
    ],
)
def test_notation(cells, notation):
    assert notation == find_notation(cells)
    assert notation is None or notation in NOTATIONS


def test_a_tenth_of_other_cells_is_tolerated():
    """A table of dates has a few cells of another kind."""
    assert "day_first" == find_notation(["24/12/2026"] * 9 + ["soon"])
    assert find_notation(["24/12/2026"] * 8 + ["soon"] * 2) is None
