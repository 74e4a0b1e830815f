"""The ports: what stages ask of the outside, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    import pyarrow as pa

    from job.contracts.dataset import FloatMatrix
    from job.contracts.reports.validation import RuleResult
    from job.contracts.store_keys import ObjectInfo, ProbeStep

T = TypeVar("T")
R = TypeVar("R")


class SourceTable(Protocol):
    """A table that has been opened, and not yet read.

    Attributes
    ----------
    names
        Column names in the file's order, duplicates and all.
    n_rows
        Rows, or None where only reading tells.
    """

    uri: str
    format: str
    names: tuple[str, ...]
    n_rows: int | None
    n_bytes: int
    modified_at: datetime
    metadata: tuple[tuple[str, str], ...]
    sidecar: tuple[tuple[str, str], ...]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Read these columns, batch by batch, in file order.

        Raises
        ------
        DatasetUnreadableError
            The bytes are not a table; the message quotes none of them.
        """

    def file_digest(self) -> str:
        """Digest the file's bytes."""


class TableSource(Protocol):
    """Where tables are opened."""

    def open(self, uri: str) -> SourceTable:
        """Open a table, or raise `DatasetNotFoundError` or `DatasetUnreadableError`."""


class ArtifactStore(Protocol):
    """Keys to bytes, with create-only writes and compare-and-swap.

    Keys are checked by `check_key`.  Every method raises `ConfigurationError` where the store may
    not be used as asked, and `TransientError` where it is busy, full or unreachable.
    """

    @property
    def uri(self) -> str:
        """Name the store, without credentials."""

    def get(self, key: str) -> bytes | None:
        """Read an object, or None where there is none."""

    def pieces(self, key: str) -> Generator[bytes, None, None]:
        """Read an object piece by piece, in order; close what is not read to its end.

        Where there is no object there is no piece; an empty one is one empty piece.
        """

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object; False where the key is taken."""

    def compare_and_swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Replace an object if it still holds `expected` (None: is absent)."""

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys below a prefix, sorted."""

    def head(self, key: str) -> ObjectInfo | None:
        """Return size and age of an object, or None where there is none."""

    def delete(self, key: str) -> None:
        """Remove one object; absent is fine."""

    def probe(self, token: str) -> tuple[ProbeStep, ...]:
        """Try every ability under `probe/<token>`, and remove it again."""

    def clear_unfinished(self, before: datetime, *, is_dry_run: bool) -> list[str]:
        """Remove what writes that never ended have left, if older; name it."""


# Calls a function for each item at once; results in the order of the items.
ParallelMap = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]


class Executor(Protocol):
    """Where fits run."""

    n_workers: int

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Apply a function to each item; results in the order of the items."""

    def pool(self) -> AbstractContextManager[ParallelMap]:
        """Keep workers ready for many short calls, with one BLAS thread each."""


class MatrixAllocator(Protocol):
    """Where large float32 matrices are kept."""

    def memory_bytes(self, shape: tuple[int, int]) -> int:
        """Return the memory that a matrix of this shape takes: none where it lies in a file."""

    def empty(self, shape: tuple[int, int]) -> FloatMatrix:
        """Make a matrix, C order, of any content."""


class Codec(Protocol):
    """An estimator as bytes, and back."""

    def encode(self, model: Any) -> bytes:
        """Write a model canonically: equal models give equal bytes."""

    def decode(self, data: bytes) -> Any:
        """Read a model whose digest has been verified, or raise `IncompatibleModelError`."""


class SuiteRunner(Protocol):
    """Hold a table against expectations."""

    def check(
        self, table: pd.DataFrame, expectations: Sequence[Mapping[str, Any]]
    ) -> tuple[RuleResult, ...]:
        """Return one result per expectation, with counts and row positions but no values."""


class Renderer(Protocol):
    """Pages for people."""

    def render(self, metadata: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, bytes]:
        """Return report.html, model_card.md and figures/*.svg by name."""


class MemoryMeter(Protocol):
    """The memory of this process, in bytes.

    Attributes
    ----------
    limit_bytes
        Most that it may use.
    """

    limit_bytes: int

    def used_bytes(self) -> int:
        """Return what it uses now."""

    def release(self) -> None:
        """Return back what was freed."""


Timer = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything of the outside that a run uses."""

    source: TableSource
    suites: SuiteRunner
    store: ArtifactStore
    codec: Codec
    executor: Executor
    matrices: MatrixAllocator
    renderer: Renderer
    memory: MemoryMeter
    timer: Timer
