"""Blocks of consecutive rows."""


def split_rows(rows: slice, size: int) -> list[slice]:
    """Cut a slice into blocks from its start; the last block may be smaller.

    >>> split_rows(slice(2, 7), 3)
    [slice(2, 5, None), slice(5, 7, None)]
    """
    starts = range(rows.start, rows.stop, size)
    return [slice(start, min(start + size, rows.stop)) for start in starts]
