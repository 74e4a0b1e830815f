"""Run fits on threads of this process, one BLAS thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import joblib
import threadpoolctl

T = TypeVar("T")
R = TypeVar("R")


class LocalThreads:
    """Threads, as many as the CPUs this process may really use.

    Native fits release the interpreter's lock, and threads share the matrix.
    """

    def __init__(self, n_workers: int | None = None) -> None:
        # joblib honours affinity and the container's CPU quota
        self.n_workers = n_workers or joblib.cpu_count()

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Apply a function to each item; results in the order of the items."""
        with threadpoolctl.threadpool_limits(1):
            results: list[R] = joblib.Parallel(n_jobs=self.n_workers, prefer="threads")(
                joblib.delayed(function)(item) for item in items
            )
        return results
