"""Open curated tables: Parquet, or CSV and TSV (also compressed), as a file or a folder of them."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from job.adapters.small_files import UnusableFileError, read_small_file
from job.adapters.tables.formats import SourceFile, strip_ending, table_format
from job.adapters.tables.listing import label_file, list_files
from job.contracts.messages import quote
from job.contracts.rows_in_cells import RowsInCells
from job.contracts.settings.addresses import local_path
from job.contracts.settings.dataset import CsvSpec, ReadLimits
from job.contracts.strict_json import parse_json
from job.errors import DatasetUnreadableError

if TYPE_CHECKING:
    import pyarrow as pa

    from job.adapters.tables.parts import CsvPart, ParquetPart

log = structlog.get_logger(__name__)

_MAX_SIDECAR_BYTES: Final = 2**20


class ArrowTables:
    """Opens tables of the local file system with pyarrow.

    Parameters
    ----------
    copy
        Copies the content of an s3:// URI and returns the path of the local copy.
    known_names
        Column names that are in the settings.  Messages call any other column by its position, such
        as `column 3`, if its name could be a cell.
    csv
        Settings of the delimiter and the encoding of CSV files; None for the defaults.
    limits
        Limits of each file; None for the defaults.
    """

    def __init__(
        self,
        copy: Callable[[str], Path] | None = None,
        known_names: frozenset[str] = frozenset(),
        csv: CsvSpec | None = None,
        limits: ReadLimits | None = None,
    ) -> None:
        self._copy = copy
        self._known_names = known_names
        self._csv = csv or CsvSpec()
        self._limits = limits or ReadLimits()

    def open(self, uri: str) -> _Table:
        """Open a file, or a folder of files with equal columns, by path, file:// or s3:// URI.

        Raises
        ------
        ConfigurationError
            The URI has an unknown file name extension.
        DatasetNotFoundError, DatasetUnreadableError
            The file does not exist, or is not a table.
        """
        is_copied = self._copy is not None and uri.startswith("s3://")
        path = self._copy(uri) if self._copy and is_copied else local_path(uri)
        files = tuple(
            SourceFile(
                part,
                label_file(uri if is_copied else str(path), path, part),
                self._known_names,
                self._csv,
                self._limits,
            )
            for part in list_files(uri, path)
        )
        return _Table(uri, path, files)


class _Table:
    """A table of one or several files that have the same format and columns."""

    def __init__(self, uri: str, path: Path, files: tuple[SourceFile, ...]) -> None:
        # NOTE: lazy, because the preview of a CSV file must not load pyarrow
        from job.adapters.tables.part_checks import check_parts
        from job.adapters.tables.parts import CsvPart, ParquetPart

        paths = tuple(file.path for file in files)
        self.format = "parquet" if table_format(paths[0]) == "parquet" else "csv"
        part_type = ParquetPart if self.format == "parquet" else CsvPart
        self._parts: tuple[ParquetPart | CsvPart, ...] = tuple(part_type(file) for file in files)
        self._root = path
        self.uri = uri
        self.names = self._parts[0].names
        dialect = self._parts[0].dialect
        self.csv = None if dialect is None else files[0].csv
        self.delimiter = None if dialect is None else dialect.delimiter
        self.encoding = None if dialect is None else dialect.encoding
        check_parts(uri, path, self._parts)
        counts = [part.n_rows for part in self._parts]
        self.n_rows = None if None in counts else sum(n for n in counts if n is not None)
        stats = [p.stat() for p in paths]
        self.n_bytes = sum(s.st_size for s in stats)
        self.modified_at = datetime.fromtimestamp(max(s.st_mtime for s in stats), UTC)
        self.metadata = self._parts[0].metadata
        self.sidecar = _read_sidecar(path)
        self.rows_in_cells = RowsInCells()

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield batches of rows with the named columns, file by file."""
        self.rows_in_cells = RowsInCells()
        for part in self._parts:
            yield from part.batches(columns)
            self.rows_in_cells += part.rows_in_cells
        found = self.rows_in_cells
        if found.n_cells:
            log.warning("cells_hold_rows", n_cells=found.n_cells, n_rows=found.n_rows)
        if found.n_open_lines:
            log.warning("file_ended_in_quotes", n_lines=found.n_open_lines)

    def file_digest(self) -> str:
        """Return the SHA-256 of the file; for a folder, of the names and digests of its files."""
        digests = [(part.file.sha256(), part.file.path) for part in self._parts]
        if self._root.is_file():
            return f"sha256:{digests[0][0]}"
        lines = [f"{hex_}  {path.relative_to(self._root).as_posix()}\n" for hex_, path in digests]
        return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def _read_sidecar(path: Path) -> tuple[tuple[str, str], ...]:
    if path.name in ("", ".."):  # for example `.`, which has no name to derive a sidecar from
        path = path.resolve()
    for name in (f"{path.name}.metadata.json", f"{strip_ending(path.name)}.metadata.json"):
        sidecar = path.parent / name
        if not sidecar.is_file():
            continue
        try:
            raw = read_small_file(sidecar, _MAX_SIDECAR_BYTES)
            content = parse_json(raw.removeprefix(codecs.BOM_UTF8))
        except UnusableFileError as error:
            raise DatasetUnreadableError(
                f"{quote(str(sidecar))} {error}", hint="correct or remove the file"
            ) from None
        except ValueError as error:
            raise DatasetUnreadableError(
                f"{quote(str(sidecar))} cannot be read: {error}", hint="repair or remove the file"
            ) from None
        if isinstance(content, dict):
            return tuple((str(k), _as_text(v)) for k, v in sorted(content.items()))
    return ()


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
