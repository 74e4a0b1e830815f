"""Parts of a large object are read a few at once, and yielded in order."""

import threading
import time
from contextlib import closing

import pytest

from job.adapters.stores.s3.parts import N_THREADS, in_order

TIMEOUT_SECONDS = 10


def test_pieces_come_in_order():
    """However long each part takes."""
    later = [threading.Event() for _ in range(6)]

    def read(item):
        if item % 2 == 0:
            later[item + 1].wait(TIMEOUT_SECONDS)
        later[item].set()
        yield from (f"{item}a", f"{item}b")

    assert [f"{n}{x}" for n in range(6) for x in "ab"] == list(in_order(read, range(6)))


def test_piece_is_given_before_its_part_has_ended():
    """The consumer can write and digest it while the part is still read."""
    is_taken = threading.Event()

    def read(item):
        yield "first"
        yield is_taken.wait(TIMEOUT_SECONDS)

    with closing(in_order(read, range(1))) as pieces:
        next(pieces)
        is_taken.set()

        assert [True] == list(pieces)


def test_few_parts_are_held():
    """Reading a part begins when the first of the parts before it has been consumed."""
    begun, all_begun = set(), threading.Event()

    def read(item):
        begun.add(item)
        if len(begun) == N_THREADS:
            all_begun.set()
        yield item

    with closing(in_order(read, range(100))) as pieces:
        next(pieces)
        all_begun.wait(TIMEOUT_SECONDS)

        assert set(range(N_THREADS)) == begun


def test_failure_comes_where_the_part_would():
    """The parts before it have been yielded; parts after it are not begun."""
    begun = []

    def read(item):
        begun.append(item)
        if item == 1:
            raise OSError("broken")
        yield item

    taken = []
    with pytest.raises(OSError, match="broken"):
        taken.extend(in_order(read, range(100)))

    assert ([0], set(range(N_THREADS + 1))) == (taken, set(begun))


def test_who_ends_early_does_not_wait_for_whole_parts():
    """The threads stop at their next piece."""

    def read(_):
        for _ in range(3000):
            yield b"slow"
            time.sleep(0.01)

    def take_one():
        with closing(in_order(read, range(N_THREADS))) as pieces:
            next(pieces)

    taking = threading.Thread(target=take_one, daemon=True)
    taking.start()
    taking.join(TIMEOUT_SECONDS)

    assert not taking.is_alive()
