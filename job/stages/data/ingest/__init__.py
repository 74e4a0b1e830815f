"""Read a source table into a `Dataset`: typed columns, embeddings, digest and provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Column, Dataset, Embeddings, Kind
from job.contracts.messages import pluralize
from job.contracts.ports import MatrixAllocator, SourceTable, TableSource
from job.contracts.provenance import Provenance
from job.contracts.settings.dataset import ColumnsSpec, CsvSpec, DatasetSpec
from job.contracts.shown_names import NameRule, select_notes
from job.errors import DatasetUnreadableError
from job.stages.data.header import has_column, read_names
from job.stages.data.ingest.cell_sizes import check_cell_sizes
from job.stages.data.ingest.cells import convert, count_undecodable
from job.stages.data.ingest.content_digest import ContentDigest
from job.stages.data.ingest.embedding_matrix import MatrixBuilder
from job.stages.data.ingest.number_notation import (
    count_notations,
    read_notation,
    suggest_notation,
)
from job.stages.data.ingest.row_limit import check_row_limit
from job.stages.data.ingest.unreadable_cells import UnreadableCells
from job.stages.data.wide_columns import find_gaps, find_strays, wide_columns

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class _RoleColumn:
    name: str
    role: str
    kind: Kind
    source_name: str
    chunks: list[Array] = field(default_factory=list)
    n_unreadable: int = 0
    notations: Counter[str] = field(default_factory=Counter)
    unreadable: UnreadableCells = field(default_factory=UnreadableCells)

    @property
    def label(self) -> str:
        """Label in the content digest: the role, and the name if a role can have many columns."""
        many = self.role in ("numeric", "categorical", "boolean")
        return f"{self.role}:{self.name}" if many else self.role


def ingest(
    source: TableSource,
    uri: str,
    spec: DatasetSpec,
    *,
    required: frozenset[str],
    matrices: MatrixAllocator,
    reserve: Callable[[int], None] = lambda _n_bytes: None,
) -> Dataset:
    """Read a table's role columns, which are those that the settings name, into a `Dataset`.

    Parameters
    ----------
    required
        Columns that must be present; other role columns may be absent.
    matrices
        If the number of rows is known in advance, allocates the matrix of the embeddings.
    reserve
        Called with the number of bytes to be read, before each read; may raise to prevent the read.

    Raises
    ------
    DatasetNotFoundError, DatasetUnreadableError
        The table does not exist, has no rows, or is damaged.
    ContractViolationError
        The table has too many rows, required columns are missing, or two columns have the same
        name.
    """
    table = source.open(uri)
    check_row_limit(table.n_rows or 0, max_rows=spec.max_rows, uri=uri, is_complete=True)
    names, rule = read_names(table, spec, required)
    columns, wide = _assign_roles(names, spec.columns)
    with ThreadPoolExecutor(1) as pool:
        file_digest = pool.submit(table.file_digest)
        content = ContentDigest()
        n_rows, embeddings = _read(table, columns, wide, content, reserve, matrices, spec)
        provenance = Provenance(
            uri=uri,
            format=table.format,
            n_bytes=table.n_bytes,
            modified_at=table.modified_at,
            file_digest=file_digest.result(),
            content_digest=content.digest(),
            metadata=table.metadata,
            sidecar=table.sidecar,
            ignored_columns=_ignored(table.names, columns, wide, rule),
            absent_columns=tuple(
                n for n in _role_names(spec.columns) if not has_column(tuple(names), n)
            ),
            **_check_numbering(table.names, names, spec.columns, rule),
        )
    if n_rows == 0:
        raise DatasetUnreadableError(
            f"'{uri}' has no rows",
            hint="check whether the upstream export has finished",
        )
    _warn_of_hidden_model(table)
    if provenance.ignored_columns:
        log.info("columns_ignored", columns=list(provenance.ignored_columns))
    return Dataset(
        n_rows=n_rows,
        columns=tuple(_finished(column, table.csv) for column in columns),
        embeddings=embeddings,
        provenance=provenance,
        rows_in_cells=table.rows_in_cells,
    )


def _assign_roles(
    names: dict[str, str], spec: ColumnsSpec
) -> tuple[list[_RoleColumn], tuple[str, ...]]:
    """Return the columns to read, by role, and the names of the embedding columns."""
    kinds: list[tuple[str, Kind, tuple[str | None, ...]]] = [
        ("target", "string", (spec.target,)),
        ("text", "string", (spec.text,)),
        ("numeric", "number", spec.numeric),
        ("categorical", "string", spec.categorical),
        ("boolean", "boolean", spec.boolean),
        ("timestamp", "timestamp", (spec.timestamp,)),
        ("id", "string", (spec.id,)),
        ("group", "string", (spec.group,)),
    ]
    columns = [
        _RoleColumn(name=name, role=role, kind=kind, source_name=names[name])
        for role, kind, role_names in kinds
        for name in role_names
        if name is not None and name in names
    ]
    if spec.embeddings is None:
        return columns, ()
    embedding_names = (
        wide_columns(tuple(names), spec.embeddings)
        if spec.embeddings.endswith("*")
        else (spec.embeddings,)
    )
    return columns, tuple(names[name] for name in embedding_names if name in names)


def _check_numbering(
    names: tuple[str, ...], renamed: dict[str, str], spec: ColumnsSpec, rule: NameRule
) -> dict[str, tuple[str, ...]]:
    """Return missing numbers of `prefix*`, and columns with the prefix that have no number."""
    pattern = spec.embeddings
    if pattern is None or not pattern.endswith("*"):
        return {}
    strays = set(find_strays(tuple(renamed), pattern)) - set(_role_names(spec))
    shown = [rule.show(name, names.index(renamed[name]) + 1) for name in sorted(strays)]
    return {
        "embedding_gaps": find_gaps(tuple(renamed), pattern),
        "embedding_strays": tuple(shown),
    }


def _role_names(spec: ColumnsSpec) -> tuple[str, ...]:
    single = (spec.target, spec.text, spec.embeddings, spec.timestamp, spec.id, spec.group)
    all_names = (*single, *spec.numeric, *spec.categorical, *spec.boolean)
    return tuple(name for name in all_names if name is not None)


def _read(
    table: SourceTable,
    columns: list[_RoleColumn],
    wide: tuple[str, ...],
    content: ContentDigest,
    reserve: Callable[[int], None],
    matrices: MatrixAllocator,
    spec: DatasetSpec,
) -> tuple[int, Embeddings | None]:
    # NOTE: if the number of rows is unknown, the matrix grows with each batch
    builder = MatrixBuilder(table.n_rows, reserve, matrices)
    source_names = list(dict.fromkeys([*(c.source_name for c in columns), *wide]))
    n_rows = n_bytes = 0
    for batch in table.batches(source_names):
        if batch.num_rows == 0:
            continue
        check_cell_sizes(batch, source_names, max_bytes=spec.max_cell_bytes, uri=table.uri)
        n_rows += batch.num_rows
        check_row_limit(n_rows, max_rows=spec.max_rows, uri=table.uri, is_complete=False)
        n_bytes += sum(batch.column(column.source_name).nbytes for column in columns)
        reserve(int(n_bytes * max((table.n_rows or 0) / n_rows - 1, 0)))
        content.add_rows(batch.num_rows)
        for column in columns:
            _read_column(table, column, batch, content)
        if wide:
            parts = [batch.column(name) for name in wide]
            if len(wide) > 1:
                parts = [read_notation(part, table.csv) for part in parts]
            content.add_embeddings(*builder.add(parts))
    return n_rows, builder.build() if wide else None


def _read_column(
    table: SourceTable, column: _RoleColumn, batch: pa.RecordBatch, content: ContentDigest
) -> None:
    array = batch.column(column.source_name)
    if column.kind == "number":
        array = read_notation(array, table.csv)
    try:
        values, n_unreadable = convert(array, column.kind, is_prose=column.role == "text")
    except (pa.ArrowException, UnicodeDecodeError):
        values = None
        n_unreadable = 0
    if values is None:
        # NOTE: raised outside the except block, because pyarrow's errors quote cells
        raise DatasetUnreadableError(
            f"'{table.uri}': column '{column.source_name}' has text that is not UTF-8 (in "
            f"{pluralize(count_undecodable(array), 'cell')} or more)",
            hint="export the table as UTF-8",
        )
    column.chunks.append(values)
    column.n_unreadable += n_unreadable
    if n_unreadable and column.kind == "number":
        column.notations += count_notations(batch.column(column.source_name))
    if n_unreadable:
        column.unreadable.add(array, values)
    content.add(column.label, column.kind, values)


def _finished(column: _RoleColumn, csv: CsvSpec | None) -> Column:
    remedy = suggest_notation(column.notations, csv)
    if column.n_unreadable:
        log.warning(
            "cells_unreadable",
            column=column.name,
            kind=column.kind,
            n_cells=column.n_unreadable,
            **({"notation": remedy} if remedy else {}),
        )
    return Column(
        name=column.name,
        role=column.role,
        kind=column.kind,
        values=np.concatenate(column.chunks),
        n_unreadable=column.n_unreadable,
        remedy=remedy,
        n_missing_words=column.unreadable.n_missing_words,
        notation=column.unreadable.find_notation(),
    )


def _ignored(
    names: tuple[str, ...], columns: list[_RoleColumn], wide: tuple[str, ...], rule: NameRule
) -> tuple[str, ...]:
    """Return the columns without a role, by name or, if `rule` hides the name, by number."""
    used = {column.source_name for column in columns} | set(wide)
    ignored = [(n, name) for n, name in enumerate(names, start=1) if name not in used]
    shown = sorted(rule.show(name, n) for n, name in ignored if rule.shows(name))
    return (*shown, *(rule.show(name, n) for n, name in ignored if not rule.shows(name)))


def _warn_of_hidden_model(table: SourceTable) -> None:
    """Log a warning if the embedding model's name in the table does not look like a name."""
    notes = table.metadata + table.sidecar
    key = "embedding_model"
    if key in dict(notes) and key not in select_notes(notes):
        log.warning("note_not_used", note=key, used_instead="publish.embedding_model")
