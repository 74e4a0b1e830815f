"""Work on the parts of a large object, a few at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Final

PART_BYTES: Final = 16 * 2**20
N_THREADS: Final = 4


def in_parallel(function: Callable[[int], Any], items: range) -> list[Any]:
    """Call in a few threads, the results in order; the first error ends it."""
    with ThreadPoolExecutor(N_THREADS) as pool:
        try:
            return list(pool.map(function, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def in_order(read: Callable[[int], Iterator[bytes]], items: range) -> Generator[bytes, None, None]:
    """Return what `read` gives of each item, in order and as it comes; a few are read at once.

    The next item is begun when the first of them has been given whole, so that no more than
    `N_THREADS` are held.
    """
    is_over = threading.Event()
    # NOTE: once a block of this size was freed, glibc keeps the memory of pieces for the next ones;
    # else the kernel takes and clears it each time, a fifth of a fetch's processor time
    bytearray(PART_BYTES)

    def fill(item: int, pieces: SimpleQueue[bytes | None]) -> None:
        try:
            for piece in read(item):
                if is_over.is_set():
                    return
                pieces.put(piece)
        finally:
            pieces.put(None)

    def drain(filling: Future[None], pieces: SimpleQueue[bytes | None]) -> Iterator[bytes]:
        yield from iter(pieces.get, None)
        filling.result()

    begun: deque[tuple[Future[None], SimpleQueue[bytes | None]]] = deque()
    with ThreadPoolExecutor(N_THREADS) as pool:
        try:
            for item in items:
                pieces: SimpleQueue[bytes | None] = SimpleQueue()
                begun.append((pool.submit(fill, item, pieces), pieces))
                if len(begun) == N_THREADS:
                    yield from drain(*begun.popleft())
            while begun:
                yield from drain(*begun.popleft())
        finally:
            is_over.set()
