"""Predict the rows of a table and write the predictions to a file.

How it works
------------
1. The table is read batch by batch, and each batch is cut into parts of a few thousand rows, so
   that memory does not grow with the table.
2. The model predicts the rows of a part; rows that it cannot predict get no class.
3. The predictions are appended to the output file, in the order of the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import structlog

from job.contracts.arrays import Array
from job.contracts.messages import pluralize
from job.contracts.ports import SourceTable
from job.contracts.reports.predictions import AnswerRule, TablePredictions
from job.contracts.row_blocks import split_rows
from job.errors import ConfigurationError, ContractViolationError, DatasetUnreadableError
from job.stages.data.ingest.column_types import fit_type
from job.stages.data.ingest.role_cells import check_encoding
from job.stages.packaging.read_plain_form import PublishedModel
from job.stages.prediction.answers import choose_labels, find_answers, read_rule
from job.stages.prediction.input_columns import InputColumns
from job.stages.prediction.source_columns import Sources, find_source_columns
from job.stages.prediction.table_rows import RowReader, TableRows

log = structlog.get_logger(__name__)
COLUMNS: Final = ("label", "confidence", "is_answered")
_N_ROWS_AT_ONCE: Final = 4096
_MAX_VALUES: Final = 2**22  # of the embeddings, however wide the form of somebody else is
_LOG_ROWS: Final = 100_000


@dataclass(slots=True, kw_only=True)
class _Counts:
    """Counts of the rows that have been predicted so far."""

    n_rows: int = 0
    n_answered: int = 0
    by_class: Array
    problems: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)

    @property
    def n_not_predicted(self) -> int:
        return self.problems.total()

    def summarize(
        self, published: PublishedModel, rule: AnswerRule, path: Path
    ) -> TablePredictions:
        """Return the result of the command."""
        classes = published.model.form.classes
        return TablePredictions(
            version=published.version,
            decision=rule,
            path=str(path),
            n_rows=self.n_rows,
            n_answered=self.n_answered,
            n_not_predicted=self.n_not_predicted,
            not_predicted=dict(sorted(self.problems.items())),
            labels=dict(zip(classes, self.by_class.tolist(), strict=True)),
        )


def predict_table(
    published: PublishedModel,
    table: SourceTable,
    columns: InputColumns,
    path: Path,
    write: Callable[[pa.RecordBatch], None],
) -> TablePredictions:
    """Predict all rows of a table, and pass the predictions to `write` batch by batch.

    Parameters
    ----------
    path
        File that `write` appends to; the result names it.

    Raises
    ------
    ConfigurationError
        The id column has the same name as a column of the predictions.
    ContractViolationError
        The table lacks a column that the model takes, or no row can be predicted.
    DatasetUnreadableError
        The table is damaged or has no rows.
    """
    form, rule = published.model.form, read_rule(published.metadata)
    sources = find_source_columns(table, columns, published.version)
    ids = _make_ids(columns, sources, table.uri)
    reader = RowReader(form, columns, sources, table)
    counts = _Counts(by_class=np.zeros(len(form.classes), np.int64))
    names = list(dict.fromkeys(source for parts in sources.values() for source in parts))
    n_rows = max(min(_N_ROWS_AT_ONCE, _MAX_VALUES // max(columns.width, 1)), 1)
    for batch in _cut(table, names or [table.names[0]], n_rows):
        predicted = _predict(published, reader.read(batch), rule, counts)
        write(predicted if ids is None else ids.add(predicted, batch))
        if counts.n_rows // _LOG_ROWS > (counts.n_rows - batch.num_rows) // _LOG_ROWS:
            log.info("rows_predicted", n_rows=counts.n_rows)
    _check_counts(published, table, columns, counts)
    return counts.summarize(published, rule, path)


def _cut(table: SourceTable, names: list[str], n_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table in parts of at most `n_rows` rows."""
    for batch in table.batches(names):
        for rows in split_rows(slice(0, batch.num_rows), n_rows):
            yield batch.slice(rows.start, rows.stop - rows.start)


def _predict(
    published: PublishedModel, rows: TableRows, rule: AnswerRule, counts: _Counts
) -> pa.RecordBatch:
    """Return the predictions of a part of a table, and count them."""
    is_sound, classes = rows.is_sound, published.model.form.classes
    codes, confidence = np.zeros(len(is_sound), np.int32), np.full(len(is_sound), np.nan)
    proba = published.model.predict_proba(rows.X)
    codes[is_sound], confidence[is_sound] = choose_labels(proba)
    is_answered = is_sound & find_answers(rule, confidence)
    counts.n_rows += len(is_sound)
    counts.n_answered += int(is_answered.sum())
    counts.by_class += np.bincount(codes[is_sound], minlength=len(classes))
    counts.problems += rows.problems
    counts.unreadable += rows.unreadable
    labels = pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=~is_sound), pa.array(classes, pa.string())
    )
    values = (
        labels.cast(pa.string()),
        pa.array(confidence, mask=~is_sound),
        pa.array(is_answered),
    )
    return pa.RecordBatch.from_arrays(list(values), names=list(COLUMNS))


class _Ids:
    """Adds the column of row identifiers; the column's type is that of the first batch."""

    def __init__(self, name: str, source: str, uri: str) -> None:
        self._name, self._source, self._uri = name, source, uri
        self._type: pa.DataType | None = None

    def add(self, predicted: pa.RecordBatch, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the predictions of a batch with the identifiers as their first column."""
        ids = batch.column(self._source)
        fit_type(ids, "string", name=self._name, uri=self._uri)
        check_encoding(ids, name=self._name, uri=self._uri)
        self._type = self._type or ids.type
        try:
            columns = [ids.cast(self._type), *predicted.columns]
            return pa.RecordBatch.from_arrays(columns, names=[self._name, *COLUMNS])
        except pa.ArrowException:
            pass
        # NOTE: raised outside the except block, because pyarrow's errors quote cells
        raise DatasetUnreadableError(
            f"'{self._uri}': column '{self._name}' has another type in a part of the table",
            hint="export the table again with one type for the column",
        )


def _make_ids(columns: InputColumns, sources: Sources, uri: str) -> _Ids | None:
    if columns.id is None or columns.id not in sources:
        return None
    if columns.id in COLUMNS:
        raise ConfigurationError(
            f"dataset.columns.id names '{columns.id}', which is a column of the predictions",
            hint=f"--set dataset.columns.id=row_id --set 'dataset.aliases={{{columns.id}: row_id}}'"
            " gives it another name",
        )
    return _Ids(columns.id, sources[columns.id][0], uri)


def _check_counts(
    published: PublishedModel, table: SourceTable, columns: InputColumns, counts: _Counts
) -> None:
    """Warn of rows and cells that could not be read; raise if nothing was predicted."""
    if counts.n_rows == 0:
        raise DatasetUnreadableError(
            f"'{table.uri}' has no rows", hint="check whether the export of the table has finished"
        )
    reasons = ", ".join(f"{name}: {n}" for name, n in sorted(counts.problems.items()))
    if counts.n_not_predicted == counts.n_rows:
        raise ContractViolationError(
            f"none of the {pluralize(counts.n_rows, 'row')} of '{table.uri}' can be predicted "
            f"({reasons}): {published.version} takes {columns.describe()}",
            hint="use a table with such columns, or name them: --set dataset.columns.text=COLUMN, "
            "--set dataset.columns.embeddings=COLUMN",
        )
    for name, n_cells in sorted(counts.unreadable.items()):
        log.warning("cells_unreadable", column=name, n_cells=n_cells)
    if counts.problems:
        log.warning(
            "rows_not_predicted",
            n_rows=counts.n_not_predicted,
            **dict(sorted(counts.problems.items())),
        )
