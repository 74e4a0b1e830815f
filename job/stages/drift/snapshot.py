"""A table, looked at for what is kept of it and for drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from job.contracts.dataset import Column, Dataset, Rows
from job.stages.drift.clusters import Clusters, number_clusters
from job.stages.drift.principal_axes import Means
from job.stages.drift.vocabulary import CountedWords

Array = np.ndarray[Any, Any]
CLASSES: Final = "classes"
TEXT_LENGTH: Final = "text length"
WORDS: Final = "words"
EMBEDDINGS: Final = "embeddings"
_COLUMN: Final = "column "
_PROFILED: Final = ("categorical", "boolean", "numeric")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSnapshot:
    """What is looked at.

    Attributes
    ----------
    key_codes
        Number of each row's leakage key, shape (n_rows,).
    cells
        By subject the values of the rows, shape (n_rows,): object (str or None), or float32 with
        NaN.
    words
        None where there is no text.
    means
        None where the model takes no embeddings.
    """

    key_codes: Array
    clusters: Clusters
    cells: dict[str, Array]
    words: CountedWords | None
    means: Means | None
    embedding_model: str


def observe(dataset: Dataset, rows: Rows, embedding_model: str, random_state: int) -> TableSnapshot:
    """Look at all sound rows of a table; their `positions` say where they stand in it."""
    assert rows.positions is not None  # those of a whole table have them
    clusters, cells = number_clusters(rows.groups), {CLASSES: rows.y}
    words, means = None, None
    for column in dataset.columns:
        if column.role in _PROFILED:
            cells[_COLUMN + column.name] = _read(column, rows.positions)
        if column.role == "text":
            texts = column.values[rows.positions]
            lengths = [len(text) if text else np.nan for text in texts]
            cells[TEXT_LENGTH] = np.array(lengths, np.float32)
            words = CountedWords(rows, clusters, random_state)
    if rows.embeddings is not None and len(rows):
        means = Means(rows.embeddings, clusters, random_state)
    return TableSnapshot(
        key_codes=pd.factorize(rows.leakage_keys)[0],
        clusters=clusters,
        cells=cells,
        words=None if words is None or words.is_empty else words,
        means=means,
        embedding_model=embedding_model,
    )


def _read(column: Column, positions: Array) -> Array:
    values: Array = column.values[positions]
    if column.role != "boolean":
        return values
    names = np.array(["false", "true", None], dtype=object)
    codes = np.where(np.isnan(values), 2, np.nan_to_num(values)).astype(int)
    return np.asarray(names[codes])
