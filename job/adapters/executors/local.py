"""Run fits on threads of this process, with one BLAS thread each."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import joblib
import threadpoolctl

from job.contracts.ports import ParallelMap

T = TypeVar("T")
R = TypeVar("R")


class LocalThreads:
    """The executor of a run, with one thread for each CPU that this process may use.

    Native fits release Python's global interpreter lock, and all threads share the matrix.
    """

    def __init__(
        self,
        n_workers: int | None = None,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self._on_progress = on_progress
        self._is_tracking = False
        # joblib respects the CPU affinity and the container's CPU quota
        self.n_workers = n_workers or joblib.cpu_count()

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Apply a function to each item; return the results in the order of the items."""
        arguments = list(items)
        results: list[R] = []
        with self._threads() as threads:
            for result in threads.map(function, arguments):
                results.append(result)
                if not self._is_tracking:
                    self._on_progress(len(results), len(arguments))
        return results

    def track(self, items: Sequence[T]) -> Iterator[T]:
        """Yield the items in turn, and report how many are done; nested calls report nothing."""
        if self._is_tracking:
            yield from items
            return
        self._is_tracking = True
        try:
            for n_done, item in enumerate(items, start=1):
                yield item
                self._on_progress(n_done, len(items))
        finally:
            self._is_tracking = False

    @contextmanager
    def pool(self) -> Iterator[ParallelMap]:
        """Provide a `map` whose threads stay ready for many short calls; BLAS uses one thread."""
        with self._threads() as threads:

            def parallel_map(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
                arguments = list(items)
                if len(arguments) == 1:  # another thread would not be faster
                    return [function(arguments[0])]
                return list(threads.map(function, arguments))

            yield parallel_map

    @contextmanager
    def _threads(self) -> Iterator[ThreadPoolExecutor]:
        context = contextvars.copy_context()  # has the run and stage for log lines

        def copy_context_variables() -> None:
            for variable, value in context.items():
                variable.set(value)

        with (
            self._libraries.limit(limits=1),
            ThreadPoolExecutor(self.n_workers, initializer=copy_context_variables) as threads,
        ):
            yield threads

    @functools.cached_property
    def _libraries(self) -> threadpoolctl.ThreadpoolController:
        # NOTE: creating a controller scans all loaded libraries, about 4 ms each time
        return threadpoolctl.ThreadpoolController()
