"""Turn a batch of a table into the input of a model, and find the rows that it cannot predict.

How it works
------------
1. Cells are converted as in a run: a category has the same spelling, and an embedding is a row of a
   matrix in single precision.
2. A row cannot be predicted if its text is missing or blank, or if its embedding is missing,
   unreadable, of another width, not finite or all zeros.
3. Other missing cells are part of the input, because the model handles them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from job.contracts.arrays import Array, Mask
from job.contracts.dataset import EMBEDDING_DEFECTS, OK
from job.model_form.form import TableInput
from job.stages.data.ingest.embedding_matrix import fill_rows, read_embeddings
from job.stages.data.ingest.number_notation import read_notation
from job.stages.data.ingest.role_cells import find_embedding_cells, read_cells
from job.stages.features.preprocessing import embedding_column_names

if TYPE_CHECKING:
    from job.contracts.dataset import Kind
    from job.contracts.ports import SourceTable
    from job.model_form.form import ModelForm
    from job.stages.prediction.input_columns import InputColumns
    from job.stages.prediction.source_columns import Sources

_ZEROS: Final = max(EMBEDDING_DEFECTS) + 1
_NO_TEXT: Final = _ZEROS + 1
_PROBLEMS: Final = {**EMBEDDING_DEFECTS, _ZEROS: "embeddings_all_zeros", _NO_TEXT: "text_missing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """The rows of a batch.

    Attributes
    ----------
    X
        Input of the model: the rows that can be predicted.
    is_sound
        Mask of these rows, shape (n_rows,).
    problems
        Number of the other rows by problem.
    unreadable
        Number of cells by column that are not of the column's kind; they count as missing.
    """

    X: Any
    is_sound: Mask
    problems: Counter[str]
    unreadable: Counter[str]


class RowReader:
    """Reads the rows of one table for one model.

    Parameters
    ----------
    table
        The table whose rows are read.
    """

    def __init__(
        self, form: ModelForm, columns: InputColumns, sources: Sources, table: SourceTable
    ) -> None:
        self._form, self._columns, self._sources = form, columns, sources
        self._uri, self._csv = table.uri, table.csv

    def read(self, batch: pa.RecordBatch) -> TableRows:
        """Return the rows of a batch.

        Raises
        ------
        ContractViolationError
            A column has a type that cannot be read as what the model takes.
        DatasetUnreadableError
            A column has text that is not UTF-8.
        """
        columns, unreadable = self._columns, Counter[str]()
        codes = np.full(batch.num_rows, OK, np.uint8)
        texts = matrix = None
        if columns.embeddings is not None:
            matrix = np.empty((batch.num_rows, columns.width), np.float32)
            sources = self._sources[columns.embeddings]
            parts = [batch.column(name) for name in sources]
            if len(parts) > 1:
                parts = [read_notation(part, self._csv) for part in parts]
            parts = find_embedding_cells(parts, sources, self._uri)
            codes = fill_rows(matrix, *read_embeddings(parts))
            codes[(codes == OK) & ~matrix.any(axis=1)] = _ZEROS
        if columns.text is not None:
            texts, _ = self._read_column(batch, columns.text, "string", is_prose=True)
            codes[[text is None or not text.strip() for text in texts]] = _NO_TEXT
        frame: dict[str, Array] = {}
        for name, kind in columns.typed.items():
            frame[name], n_unreadable = self._read_column(batch, name, kind)
            unreadable[name] += n_unreadable
        is_sound = codes == OK
        counts = Counter(_PROBLEMS[code] for code in codes[~is_sound].tolist())
        X = self._join(texts, matrix, frame, is_sound)
        return TableRows(X=X, is_sound=is_sound, problems=counts, unreadable=+unreadable)

    def _read_column(
        self, batch: pa.RecordBatch, name: str, kind: Kind, *, is_prose: bool = False
    ) -> tuple[Array, int]:
        source = self._sources[name][0]
        cells = batch.column(source)
        if kind == "number":
            cells = read_notation(cells, self._csv)
        return read_cells(cells, kind, name=source, uri=self._uri, is_prose=is_prose)

    def _join(
        self, texts: Array | None, matrix: Array | None, frame: dict[str, Array], is_sound: Mask
    ) -> Any:
        """Return the sound rows as a list of texts, a matrix or a DataFrame."""
        if not isinstance(self._form.input, TableInput):
            values = texts if matrix is None else matrix
            assert values is not None
            return values[is_sound].tolist() if matrix is None else values[is_sound]
        index = range(int(is_sound.sum()))
        parts = [pd.DataFrame({name: v[is_sound] for name, v in frame.items()}, index=index)]
        if texts is not None:
            parts.append(pd.DataFrame({"text": texts[is_sound]}))
        if matrix is not None:
            names = embedding_column_names(matrix.shape[1])
            parts.append(pd.DataFrame(matrix[is_sound], columns=names))
        return pd.concat(parts, axis=1)
