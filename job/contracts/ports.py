"""The ports: interfaces to files, services and libraries, limited to what stages call."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    import pyarrow as pa
    from sklearn.pipeline import Pipeline

    from job.contracts.arrays import Floats32
    from job.contracts.reports.evaluation import Evaluation
    from job.contracts.reports.metadata import Metadata
    from job.contracts.reports.validation import RuleResult, ValidationReport
    from job.contracts.rows_in_cells import RowsInCells
    from job.contracts.settings.dataset import CsvSpec
    from job.contracts.store_keys import ObjectInfo, ProbeStep

T = TypeVar("T")
R = TypeVar("R")


class SourceTable(Protocol):
    """An opened table whose rows have not been read yet.

    Attributes
    ----------
    names
        Column names in the order of the file, including duplicates.
    n_rows
        Number of rows; None if it is unknown before reading.
    delimiter, encoding
        How the first CSV file is written; None for Parquet.
    csv
        Settings of CSV files; None for Parquet.
    rows_in_cells
        After all batches were read: rows of CSV files that are in a cell of another row.
    """

    uri: str
    format: str
    delimiter: str | None
    encoding: str | None
    names: tuple[str, ...]
    n_rows: int | None
    n_bytes: int
    modified_at: datetime
    metadata: tuple[tuple[str, str], ...]
    sidecar: tuple[tuple[str, str], ...]
    csv: CsvSpec | None
    rows_in_cells: RowsInCells

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield batches of rows with the named columns, in file order.

        Encodings such as dictionaries, views and extension types are undone.

        Raises
        ------
        DatasetUnreadableError
            The bytes are not a table; the message does not quote the bytes.
        """

    def file_digest(self) -> str:
        """Return the digest of the file's bytes."""


class TableSource(Protocol):
    """Opens tables."""

    def open(self, uri: str) -> SourceTable:
        """Open a table, or raise `DatasetNotFoundError` or `DatasetUnreadableError`."""


class ArtifactStore(Protocol):
    """A mapping of keys to bytes, with create-only writes and compare-and-swap.

    `check_key` defines the valid keys.  All methods raise `ConfigurationError` if the operation is
    not permitted, `TransientError` if the store is busy, full or unreachable, and `IntegrityError`
    if something other than an object is stored under a key.
    """

    @property
    def uri(self) -> str:
        """URI of the store, without credentials."""

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        """Return the bytes of an object, or None if it does not exist.

        Raises
        ------
        IntegrityError
            The object has more than `max_bytes` bytes; it is not read.
        """

    def pieces(self, key: str) -> Generator[bytes, None, None]:
        """Yield an object piece by piece, in order; close the generator if not all pieces are read.

        An object that does not exist yields nothing; an empty object yields one empty piece.  An
        object can have any size, so the caller decides when it has read enough.
        """

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object; return False, and change nothing, if the key exists."""

    def compare_and_swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Replace an object if its bytes are `expected`, and return whether it was replaced.

        If `expected` is None, create the object if it does not exist.
        """

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """List the valid keys that begin with a prefix and are greater than `after`, sorted."""

    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, ObjectInfo]]:
        """List the keys that `keys` lists, with the size and modification time of each object."""

    def names(self, prefix: str) -> Iterator[str]:
        """List the keys that begin with a prefix, cut after the next slash; each once, sorted.

        A name that ends with a slash is a folder; what is in the folder is not listed.
        """

    def head(self, key: str) -> ObjectInfo | None:
        """Return size and modification time of an object, or None if it does not exist."""

    def delete(self, key: str) -> None:
        """Remove one object, if it exists."""

    def read_clock(self) -> datetime:
        """Return the time by the clock that sets the modification times; no object is written."""

    def probe(self, token: str) -> tuple[ProbeStep, ...]:
        """Test each required operation on the key `probe/<token>`, and remove that key."""

    def clear_unfinished(self, before: datetime, *, is_dry_run: bool) -> list[str]:
        """Remove the remains of unfinished writes that began before a time; return their keys."""


# Calls a function for all items in parallel; returns the results in the order of the items.
ParallelMap = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]


class Executor(Protocol):
    """Runs fits in parallel."""

    n_workers: int

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Apply a function to each item; return the results in the order of the items."""

    def track(self, items: Sequence[T]) -> Iterator[T]:
        """Yield the items in turn, and report how many of them are done."""

    def pool(self) -> AbstractContextManager[ParallelMap]:
        """Return a context manager that keeps workers ready, for many short calls of `map`."""


class MatrixAllocator(Protocol):
    """Allocates large float32 matrices."""

    def memory_bytes(self, shape: tuple[int, int]) -> int:
        """Return the bytes of memory that a matrix of this shape needs: 0 if it is in a file."""

    def empty(self, shape: tuple[int, int]) -> Floats32:
        """Allocate a matrix in C order with undefined content."""


class Codec(Protocol):
    """Converts fitted models to the bytes of one file format."""

    def encode(self, model: Pipeline) -> bytes:
        """Return the bytes of a model; equal models give equal bytes."""


class SuiteRunner(Protocol):
    """Validates a table against expectations."""

    def check(
        self, table: pd.DataFrame, expectations: Sequence[Mapping[str, Any]]
    ) -> tuple[RuleResult, ...]:
        """Return one result per expectation, with counts and row positions but no cell values."""


class Renderer(Protocol):
    """Renders the pages of a report."""

    def render(
        self,
        metadata: Metadata,
        evaluation: Evaluation,
        validation: ValidationReport | None = None,
    ) -> dict[str, bytes]:
        """Return report.html, model_card.md and figures/*.svg by name."""


class MemoryMeter(Protocol):
    """The memory of this process, in bytes.

    Attributes
    ----------
    limit_bytes
        Maximum that the process may use.
    """

    limit_bytes: int

    def used_bytes(self) -> int:
        """Return the bytes in use."""

    def release(self) -> None:
        """Release freed memory to the system."""


Timer = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All adapters that a run uses.

    Attributes
    ----------
    codecs
        The codec of each model file of a version, by file name, including `model.joblib`; the plain
        form, `model.safetensors`, needs none.
    """

    source: TableSource
    suites: SuiteRunner
    store: ArtifactStore
    codecs: Mapping[str, Codec]
    executor: Executor
    matrices: MatrixAllocator
    renderer: Renderer
    memory: MemoryMeter
    timer: Timer

    def encode_model(self, model: Pipeline) -> dict[str, bytes]:
        """Return the bytes of a model by file name, one file from each codec."""
        return {name: codec.encode(model) for name, codec in self.codecs.items()}
