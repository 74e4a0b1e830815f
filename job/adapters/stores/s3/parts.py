"""Process the parts (byte ranges) of a large object, a few at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Final, TypeVar

T = TypeVar("T")

PART_BYTES: Final = 16 * 2**20
N_THREADS: Final = 4


def in_parallel(function: Callable[[int], T], items: range) -> list[T]:
    """Call a function in a few threads; return the results in order, or raise the first error."""
    with ThreadPoolExecutor(N_THREADS) as pool:
        try:
            return list(pool.map(function, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def in_order(read: Callable[[int], Iterator[bytes]], items: range) -> Generator[bytes, None, None]:
    """Yield the pieces of all items (parts), in order; `read` yields the pieces of one item.

    Up to `N_THREADS` items are read at the same time and kept in memory.  When all pieces of an
    item have been yielded, a thread starts to read the next item.
    """
    is_over = threading.Event()
    # NOTE: after a block of this size was freed, glibc reuses the memory of pieces.  Otherwise the
    # kernel reclaims and clears it each time, which takes a fifth of the CPU time of a fetch.
    bytearray(PART_BYTES)

    def fill(item: int, pieces: SimpleQueue[bytes | None]) -> None:
        try:
            for piece in read(item):
                if is_over.is_set():
                    return
                pieces.put(piece)
        finally:
            pieces.put(None)

    def drain(reading: Future[None], pieces: SimpleQueue[bytes | None]) -> Iterator[bytes]:
        yield from iter(pieces.get, None)
        reading.result()

    pending: deque[tuple[Future[None], SimpleQueue[bytes | None]]] = deque()
    with ThreadPoolExecutor(N_THREADS) as pool:
        try:
            for item in items:
                pieces: SimpleQueue[bytes | None] = SimpleQueue()
                pending.append((pool.submit(fill, item, pieces), pieces))
                if len(pending) == N_THREADS:
                    yield from drain(*pending.popleft())
            while pending:
                yield from drain(*pending.popleft())
        finally:
            is_over.set()
