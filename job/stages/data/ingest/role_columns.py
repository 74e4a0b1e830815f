"""Collect the cells of each column that has a role, batch by batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Column, Kind
from job.contracts.ports import SourceTable
from job.contracts.settings.dataset import ColumnsSpec, CsvSpec
from job.stages.data.ingest.content_digest import ContentDigest
from job.stages.data.ingest.number_notation import (
    count_notations,
    read_notation,
    suggest_notation,
)
from job.stages.data.ingest.role_cells import read_cells
from job.stages.data.ingest.unreadable_cells import UnreadableCells
from job.stages.data.wide_columns import wide_columns

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class RoleColumn:
    """The cells of a column, and what is known of those that could not be read.

    Attributes
    ----------
    name, source_name
        Name of the column in the settings, and in the file.
    chunks
        Converted cells of each batch, shape (n_batch_rows,) each.
    notations
        Number of unreadable cells by notation of numbers.
    """

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


def assign_roles(
    names: dict[str, str], spec: ColumnsSpec
) -> tuple[list[RoleColumn], tuple[str, ...]]:
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
        RoleColumn(name=name, role=role, kind=kind, source_name=names[name])
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


def read_column(
    table: SourceTable, column: RoleColumn, batch: pa.RecordBatch, content: ContentDigest
) -> None:
    """Convert the cells of a batch, and add them to the column and to the digest."""
    array = batch.column(column.source_name)
    if column.kind == "number":
        array = read_notation(array, table.csv)
    values, n_unreadable = read_cells(
        array,
        column.kind,
        name=column.source_name,
        uri=table.uri,
        is_prose=column.role == "text",
    )
    column.chunks.append(values)
    column.n_unreadable += n_unreadable
    if n_unreadable and column.kind == "number":
        column.notations += count_notations(batch.column(column.source_name))
    if n_unreadable:
        column.unreadable.add(array, values)
    content.add(column.label, column.kind, values)


def finish_column(column: RoleColumn, csv: CsvSpec | None) -> Column:
    """Return the complete column; log how many of its cells could not be read."""
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
