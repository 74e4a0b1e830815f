"""An artifact store in memory that can fail at its n-th write."""

from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime

from job.contracts.store_bounds import object_too_large
from job.contracts.store_keys import ObjectInfo, ProbeStep


class Killed(BaseException):
    """Simulates a killed process: no handler of `Exception` runs."""


class MemoryStore:
    """The port `ArtifactStore` on a dict.

    Parameters
    ----------
    fail_at
        Number of the write, from 1, at which `failure` is raised; None for a store without faults.
    failure
        The error that is raised instead of performing this write.
    before_swap
        Called before each compare-and-swap, to simulate a concurrent writer.
    """

    uri = "memory:"
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def __init__(
        self,
        *,
        fail_at: int | None = None,
        failure: BaseException | None = None,
        before_swap: Callable[["MemoryStore"], None] = lambda _: None,
    ) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: list[str] = []
        self._fail_at, self._failure, self._before_swap = fail_at, failure, before_swap
        self._n_writes = 0

    def get(self, key: str, *, max_bytes: int = 2**40) -> bytes | None:
        data = self.objects.get(key)
        if data is not None and len(data) > max_bytes:
            raise object_too_large(key, max_bytes)
        return data

    def pieces(self, key: str) -> Generator[bytes, None, None]:
        data = self.get(key)
        if data is not None:
            yield data[:1]
            yield from (data[n : n + 1000] for n in range(1, len(data), 1000))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self._count()
        if key in self.objects:
            return False
        self._write(key, data)
        return True

    def compare_and_swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        self._before_swap(self)
        self._count()
        if self.objects.get(key) != expected:
            return False
        self._write(key, data)
        return True

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        yield from (k for k in sorted(self.objects) if k.startswith(prefix) and k > after)

    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, ObjectInfo]]:
        yield from ((key, self.head(key)) for key in self.keys(prefix, after))

    def names(self, prefix: str) -> Iterator[str]:
        ends = ((key, key.find("/", len(prefix)) + 1) for key in self.keys(prefix))
        yield from sorted({key[:end] if end else key for key, end in ends})

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def head(self, key: str) -> ObjectInfo | None:
        if key not in self.objects:
            return None
        return ObjectInfo(n_bytes=len(self.objects[key]), modified_at=self.now)

    def read_clock(self) -> datetime:
        return self.now

    def probe(self, token: str) -> tuple[ProbeStep, ...]:
        return ()

    def clear_unfinished(self, before: datetime, *, is_dry_run: bool) -> list[str]:
        return []

    def _count(self) -> None:
        self._n_writes += 1
        if self._n_writes == self._fail_at:
            assert self._failure is not None
            raise self._failure

    def _write(self, key: str, data: bytes) -> None:
        self.objects[key] = data
        self.written.append(key)
