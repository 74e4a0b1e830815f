"""Read a source table into a `Dataset`: typed columns, embeddings, digest and provenance."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from job.contracts.dataset import Dataset, Embeddings
from job.contracts.ports import MatrixAllocator, SourceTable, TableSource
from job.contracts.provenance import Provenance
from job.contracts.settings.dataset import DatasetSpec
from job.contracts.shown_names import NameRule, select_notes
from job.errors import DatasetUnreadableError
from job.stages.data.header import has_column, read_names
from job.stages.data.ingest.cell_sizes import check_cell_sizes
from job.stages.data.ingest.content_digest import ContentDigest
from job.stages.data.ingest.embedding_matrix import MatrixBuilder
from job.stages.data.ingest.number_notation import read_notation
from job.stages.data.ingest.role_cells import find_embedding_cells
from job.stages.data.ingest.role_columns import (
    RoleColumn,
    assign_roles,
    finish_column,
    read_column,
)
from job.stages.data.ingest.row_limit import check_row_limit
from job.stages.data.wide_columns import check_numbering

log = structlog.get_logger(__name__)


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
        The table has too many rows, required columns are missing, two columns have the same name,
        or a column has a type that cannot be read in its role.
    """
    table = source.open(uri)
    check_row_limit(table.n_rows or 0, max_rows=spec.max_rows, uri=uri, is_complete=True)
    names, rule = read_names(table, spec, required)
    columns, wide = assign_roles(names, spec.columns)
    with ThreadPoolExecutor(1) as pool:
        file_digest = pool.submit(table.file_digest)
        content = ContentDigest()
        n_rows, embeddings = _read(table, columns, wide, content, reserve, matrices, spec)
        provenance = Provenance(
            **_describe(table, names, rule, columns, wide, spec),
            file_digest=file_digest.result(),
            content_digest=content.digest(),
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
        columns=tuple(finish_column(column, table.csv) for column in columns),
        embeddings=embeddings,
        provenance=provenance,
        rows_in_cells=table.rows_in_cells,
    )


def _describe(
    table: SourceTable,
    names: dict[str, str],
    rule: NameRule,
    columns: list[RoleColumn],
    wide: tuple[str, ...],
    spec: DatasetSpec,
) -> dict[str, Any]:
    """Return what `Provenance` tells of a table, without its digests."""
    known = spec.columns.names
    return {
        "uri": table.uri,
        "format": table.format,
        "n_bytes": table.n_bytes,
        "modified_at": table.modified_at,
        "metadata": table.metadata,
        "sidecar": table.sidecar,
        "ignored_columns": _ignored(table.names, columns, wide, rule),
        "absent_columns": tuple(n for n in known if not has_column(tuple(names), n)),
        **check_numbering(table.names, names, spec.columns.embeddings, known=known, rule=rule),
    }


def _read(
    table: SourceTable,
    columns: list[RoleColumn],
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
            read_column(table, column, batch, content)
        if wide:
            parts = [batch.column(name) for name in wide]
            if len(wide) > 1:
                parts = [read_notation(part, table.csv) for part in parts]
            parts = find_embedding_cells(parts, wide, table.uri)
            content.add_embeddings(*builder.add(parts))
    if not wide:
        return n_rows, None
    content.add_embeddings(*builder.finish())
    return n_rows, builder.build()


def _ignored(
    names: tuple[str, ...], columns: list[RoleColumn], wide: tuple[str, ...], rule: NameRule
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
