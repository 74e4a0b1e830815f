"""Divide rows into chunks of consecutive rows."""


def split_rows(rows: slice, size: int) -> list[slice]:
    """Return consecutive slices of `size` rows that cover `rows`; the last may be smaller.

    >>> split_rows(slice(2, 7), 3)
    [slice(2, 5, None), slice(5, 7, None)]
    """
    starts = range(rows.start, rows.stop, size)
    return [slice(start, min(start + size, rows.stop)) for start in starts]
