"""Fits run on threads, each with one BLAS thread."""

import threading

import pytest
import structlog
import threadpoolctl

from job.adapters.executors.local import LocalThreads


def blas_threads(_):
    libraries = threadpoolctl.threadpool_info()
    return {part["num_threads"] for part in libraries if part["user_api"] == "blas"}


def test_results_keep_the_order_of_the_items():
    """The order in which threads finish has no effect."""
    executor = LocalThreads(3)
    with executor.pool() as parallel_map:
        assert [n * n for n in range(50)] == parallel_map(lambda n: n * n, range(50))

    assert [n * n for n in range(50)] == executor.map(lambda n: n * n, range(50))


def test_blas_has_one_thread_while_the_threads_work():
    """Two levels of threads would compete for the cores."""
    executor = LocalThreads(2)
    with executor.pool() as parallel_map:
        assert [{1}] == parallel_map(blas_threads, [None])

    assert [{1}] == executor.map(blas_threads, [None])


def test_log_lines_of_threads_name_their_run():
    """Threads have the values that are bound where the work is started."""
    executor = LocalThreads(2)
    with structlog.contextvars.bound_contextvars(run_id="r1"):
        contexts = executor.map(lambda _: structlog.contextvars.get_contextvars(), range(4))
        with executor.pool() as parallel_map:
            contexts += parallel_map(lambda _: structlog.contextvars.get_contextvars(), range(4))

    assert [{"run_id": "r1"}] * 8 == contexts


def test_work_that_waits_is_dropped_after_an_error():
    """The original error is raised."""
    begun, is_removable = [], threading.Event()

    def work(n):
        begun.append(n)
        if n == 0:
            raise LookupError("no such thing")
        is_removable.wait(0.2)

    with pytest.raises(LookupError, match="no such thing"):
        LocalThreads(2).map(work, range(100))

    assert len(begun) < 10
