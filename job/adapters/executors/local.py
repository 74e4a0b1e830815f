"""Run fits on threads of this process, one BLAS thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import joblib
import threadpoolctl

from job.contracts.ports import Spread

T = TypeVar("T")
R = TypeVar("R")


class LocalThreads:
    """Threads, as many as the CPUs this process may really use.

    Native fits release the interpreter's lock, and threads share the matrix.
    """

    def __init__(
        self,
        n_workers: int | None = None,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self._on_progress = on_progress
        # joblib honours affinity and the container's CPU quota
        self.n_workers = n_workers or joblib.cpu_count()

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Apply a function to each item; results in the order of the items."""
        work = list(items)
        parallel = joblib.Parallel(n_jobs=self.n_workers, prefer="threads", return_as="generator")
        results: list[R] = []
        with threadpoolctl.threadpool_limits(1):
            for result in parallel(joblib.delayed(function)(item) for item in work):
                results.append(result)
                self._on_progress(len(results), len(work))
        return results

    @contextmanager
    def pool(self) -> Iterator[Spread]:
        """Keep threads ready for many short calls, with one BLAS thread each."""
        with threadpoolctl.threadpool_limits(1), ThreadPoolExecutor(self.n_workers) as threads:
            yield lambda function, items: list(threads.map(function, items))
