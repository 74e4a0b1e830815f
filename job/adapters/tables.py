"""Open curated tables: CSV (also .gz) and Parquet, a file or a folder of parts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from job.errors import (
    ConfigurationError,
    DatasetNotFoundError,
    DatasetUnreadableError,
    JobError,
)

_BATCH_ROWS: Final = 8192
_CSV_BLOCK_BYTES: Final = 16 * 2**20
_METADATA_SKIPPED: Final = (b"ARROW:schema", b"pandas")


class ArrowTables:
    """Tables in the local file system, read by pyarrow."""

    def open(self, uri: str) -> _Table:
        """Open a file or a folder of parts by path or file:// URI.

        Raises
        ------
        ConfigurationError
            The URI has a scheme or an ending that is not read here.
        DatasetNotFoundError, DatasetUnreadableError
            There is nothing, or nothing that is a table.
        """
        path = _local_path(uri)
        if not path.exists():
            raise DatasetNotFoundError(
                f"no such file: '{uri}'",
                hint="check dataset.uri, or whether the upstream export has finished",
                uri=uri,
            )
        return _Table(uri, path, _parts_of(uri, path))


def _local_path(uri: str) -> Path:
    parsed = urlparse(uri)
    if parsed.scheme == "file":
        return Path(unquote(parsed.path))
    if "://" in uri:
        raise ConfigurationError(
            f"dataset URIs of scheme '{parsed.scheme}' are not read",
            hint="give a path or a file:// URI",
        )
    return Path(uri)


def _parts_of(uri: str, path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    files = [p for p in path.rglob("*") if p.is_file() and not _is_hidden(p, path)]
    parts = tuple(sorted(p for p in files if _format_of(p) is not None))
    if not parts:
        raise DatasetNotFoundError(
            f"no Parquet or CSV parts in the folder '{uri}'",
            hint="parts end in .parquet, .csv or .csv.gz",
            uri=uri,
        )
    if len({_format_of(p) for p in parts}) > 1:
        raise DatasetUnreadableError(f"the folder '{uri}' mixes CSV and Parquet parts", uri=uri)
    return parts


def _is_hidden(path: Path, root: Path) -> bool:
    return any(name.startswith((".", "_")) for name in path.relative_to(root).parts)


def _format_of(path: Path) -> str | None:
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    return "csv" if name.endswith((".csv", ".csv.gz")) else None


class _Table:
    """Parts of one format that hold the same columns."""

    def __init__(self, uri: str, path: Path, paths: tuple[Path, ...]) -> None:
        table_format = _format_of(paths[0])
        if table_format is None:
            raise ConfigurationError(
                f"'{uri}' is neither CSV nor Parquet by its name",
                hint="tables end in .parquet, .csv or .csv.gz",
            )
        part_type = _ParquetPart if table_format == "parquet" else _CsvPart
        self._parts: tuple[_ParquetPart | _CsvPart, ...] = tuple(part_type(p) for p in paths)
        self._paths = paths
        self._root = path
        self.uri = uri
        self.format = table_format
        self.names = self._parts[0].names
        for part in self._parts[1:]:
            if set(part.names) != set(self.names):
                raise DatasetUnreadableError(
                    f"part '{part.path.name}' of '{uri}' does not have the columns of "
                    f"'{paths[0].name}'",
                    hint="all parts of a folder must have the same columns",
                )
        counts = [part.n_rows for part in self._parts]
        self.n_rows = None if None in counts else sum(n for n in counts if n is not None)
        stats = [p.stat() for p in paths]
        self.n_bytes = sum(s.st_size for s in stats)
        self.modified_at = datetime.fromtimestamp(max(s.st_mtime for s in stats), UTC)
        self.metadata = self._parts[0].metadata
        self.sidecar = _read_sidecar(path)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Read these columns of all parts, in order."""
        for part in self._parts:
            yield from part.batches(columns)

    def file_digest(self) -> str:
        """SHA-256 of the file; of a folder, that of its parts' names and digests."""
        if self._root.is_file():
            return f"sha256:{_sha256(self._root)}"
        lines = [f"{_sha256(p)}  {p.relative_to(self._root).as_posix()}\n" for p in self._paths]
        return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _ParquetPart:
    """One Parquet file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = _guarded(
            path,
            # NOTE: pre-buffering would hold every column chunk of a row group in memory
            lambda: pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20),
        )
        schema = _guarded(path, lambda: self._file.schema_arrow)
        self.names: tuple[str, ...] = tuple(schema.names)
        self.n_rows: int | None = self._file.metadata.num_rows
        self.metadata = tuple(
            (key.decode(errors="replace"), value.decode(errors="replace"))
            for key, value in sorted((schema.metadata or {}).items())
            if key not in _METADATA_SKIPPED
        )

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Decode row group by row group."""
        stream = self._file.iter_batches(_BATCH_ROWS, columns=list(columns))
        yield from _guarded_stream(self.path, stream)


class _CsvPart:
    """One CSV file, every column read as text: types are the settings' business."""

    n_rows: int | None = None
    metadata: tuple[tuple[str, str], ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self._n_ragged = 0
        self._n_expected = 0
        self.names: tuple[str, ...] = _read_header(path)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Parse block by block; a row with too few or too many cells is an error."""
        self._n_ragged = 0
        reader = _guarded(self.path, lambda: self._open(columns))
        yield from _guarded_stream(self.path, reader)
        if self._n_ragged:
            raise DatasetUnreadableError(
                f"'{self.path}': {self._n_ragged} rows do not have {self._n_expected} cells, "
                "as the header has",
                hint="quote cells that hold a comma or a line break",
                n_rows=self._n_ragged,
            )

    def _open(self, columns: Sequence[str]) -> Any:
        return pacsv.open_csv(
            _stream(self.path),
            read_options=pacsv.ReadOptions(block_size=_CSV_BLOCK_BYTES, use_threads=False),
            parse_options=pacsv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=self._count_ragged
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=list(columns),
                strings_can_be_null=False,
            ),
        )

    def _count_ragged(self, row: Any) -> str:
        self._n_ragged += 1
        self._n_expected = row.expected_columns
        return "skip"


def _stream(path: Path) -> Any:
    return pa.input_stream(path, compression="gzip" if path.name.lower().endswith(".gz") else None)


def _read_header(path: Path) -> tuple[str, ...]:
    def parse() -> tuple[str, ...]:
        reader = pacsv.open_csv(
            _stream(path),
            read_options=pacsv.ReadOptions(block_size=_CSV_BLOCK_BYTES, use_threads=False),
            parse_options=pacsv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=lambda _: "skip"
            ),
            # NOTE: type inference would read cells, and its errors quote them
            convert_options=pacsv.ConvertOptions(include_columns=[]),
        )
        return tuple(reader.schema.names)

    names: tuple[str, ...] = _guarded(path, parse)
    return names


def _guarded(path: Path, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
        reason = _reason(path, error)
    # NOTE: raised outside the except block, because pyarrow's errors quote the cells they meet
    raise reason


def _guarded_stream(path: Path, stream: Any) -> Iterator[pa.RecordBatch]:
    batches = iter(stream)
    while (batch := _guarded(path, lambda: next(batches, None))) is not None:
        yield batch


def _reason(path: Path, error: Exception) -> JobError:
    """Say which kind of damage it is, in our words."""
    text = str(error)
    if isinstance(error, PermissionError):
        return DatasetUnreadableError(f"'{path}' may not be read", hint="check its permissions")
    patterns = (
        (r"(?i)utf-?8", "is not UTF-8 text", "export it as UTF-8"),
        (r"(?i)empty csv", "is empty", "check whether the upstream export has finished"),
        (r"(?i)straddling", "has a row longer than 16 MB, or an unclosed quote", "check quoting"),
    )
    for pattern, what, hint in patterns:
        if re.search(pattern, text):
            return DatasetUnreadableError(f"'{path}' {what}", hint=hint)
    kind = "Parquet" if _format_of(path) == "parquet" else "CSV"
    if path.stat().st_size == 0:
        return DatasetUnreadableError(
            f"'{path}' is empty", hint="check whether the upstream export has finished"
        )
    return DatasetUnreadableError(
        f"'{path}' is not a readable {kind} file: it is damaged, truncated or of another format",
        hint="export it again, and compare its size and SHA-256 with the upstream's",
        error=type(error).__name__,
    )


def _read_sidecar(path: Path) -> tuple[tuple[str, str], ...]:
    stem = re.sub(r"(?i)\.(parquet|pq|csv|csv\.gz)$", "", path.name)
    for name in (f"{path.name}.metadata.json", f"{stem}.metadata.json"):
        sidecar = path.with_name(name)
        if not sidecar.is_file():
            continue
        try:
            content = json.loads(sidecar.read_bytes())
        except ValueError:
            raise DatasetUnreadableError(
                f"'{sidecar}' is not JSON", hint="repair or remove the sidecar"
            ) from None
        if isinstance(content, dict):
            return tuple((str(k), _as_text(v)) for k, v in sorted(content.items()))
    return ()


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
