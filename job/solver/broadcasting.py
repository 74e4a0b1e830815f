"""Shrink NumPy's ufunc buffer for operations that broadcast over rows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import numpy as np

_BUFFER_SIZE: Final = 256


@contextlib.contextmanager
def small_ufunc_buffer() -> Iterator[None]:
    """Make NumPy loop over rows of 256 values or more without copying them, in this thread.

    If the ufunc buffer is longer than a row, NumPy copies rows, and the values broadcast to them,
    into the buffer to get fewer and longer loops.  For rows of hundreds of values the copies take
    two to four times as long as the operation itself (NumPy 2.4).
    """
    previous_size = np.setbufsize(_BUFFER_SIZE)
    try:
        yield
    finally:
        np.setbufsize(previous_size)
