"""Operations that broadcast, row by row."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import numpy as np

_N_BUFFERED: Final = 256


@contextlib.contextmanager
def small_ufunc_buffer() -> Iterator[None]:
    """Let NumPy loop over rows of 256 values and more where they are, in this thread.

    Where its buffer is longer than a row, it copies rows into it, and what is broadcast to them,
    for fewer and longer loops; of rows of hundreds of values the copies take two to four times as
    long as what is done with them (NumPy 2.4).
    """
    before = np.setbufsize(_N_BUFFERED)
    try:
        yield
    finally:
        np.setbufsize(before)
