"""Fits run on threads, each with one BLAS thread."""

import threadpoolctl

from job.adapters.executors.local import LocalThreads


def blas_threads(_):
    found = threadpoolctl.threadpool_info()
    return {part["num_threads"] for part in found if part["user_api"] == "blas"}


def test_results_keep_the_order_of_the_items():
    """Whoever was first."""
    executor = LocalThreads(3)
    with executor.pool() as spread:
        assert [n * n for n in range(50)] == spread(lambda n: n * n, range(50))

    assert [n * n for n in range(50)] == executor.map(lambda n: n * n, range(50))


def test_blas_has_one_thread_while_the_threads_work():
    """Two levels of threads would fight for the cores."""
    executor = LocalThreads(2)
    with executor.pool() as spread:
        assert [{1}] == spread(blas_threads, [None])

    assert [{1}] == executor.map(blas_threads, [None])
