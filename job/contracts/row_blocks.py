"""How a run of rows is cut into blocks."""


def cut(rows: slice, size: int) -> list[slice]:
    """Cut from the start; the last block may be smaller.

    >>> cut(slice(2, 7), 3)
    [slice(2, 5, None), slice(5, 7, None)]
    """
    starts = range(rows.start, rows.stop, size)
    return [slice(start, min(start + size, rows.stop)) for start in starts]
