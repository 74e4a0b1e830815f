"""A snapshot of a table: the values, words and embeddings that drift is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.contracts.dataset import Column, Dataset, Rows
from job.stages.drift.clusters import Clusters, make_clusters
from job.stages.drift.principal_axes import GroupMeans
from job.stages.drift.vocabulary import WordCounts

CLASSES: Final = "classes"
TEXT_LENGTH: Final = "text length"
WORDS: Final = "words"
EMBEDDINGS: Final = "embeddings"
_COLUMN: Final = "column "
_PROFILED: Final = ("categorical", "boolean", "numeric")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSnapshot:
    """Values, words and embeddings of a table's valid rows.

    Attributes
    ----------
    person_codes
        Each row's person as a number from 0, shape (n_rows,).
    cells
        Values by subject (the class, a column or the text length), each of shape (n_rows,).  The
        dtype is object (str, or None if missing) or float32 (NaN if missing).
    words
        Counts of the texts' words; None if the table has no text.
    group_means
        Mean embedding of each group; None if the model takes no embeddings.
    """

    person_codes: Array
    clusters: Clusters
    cells: dict[str, Array]
    words: WordCounts | None
    group_means: GroupMeans | None
    embedding_model: str


def take_snapshot(
    dataset: Dataset, rows: Rows, embedding_model: str, random_state: int
) -> TableSnapshot:
    """Take the snapshot of a table's valid rows, whose positions are `rows.positions`."""
    assert rows.positions is not None  # set for the rows of a whole table
    clusters, cells = make_clusters(rows.groups), {CLASSES: rows.y}
    words, group_means = None, None
    for column in dataset.columns:
        if column.role in _PROFILED:
            cells[_COLUMN + column.name] = _read(column, rows.positions)
        if column.role == "text":
            texts = column.values[rows.positions]
            lengths = [len(text) if text else np.nan for text in texts]
            cells[TEXT_LENGTH] = np.array(lengths, np.float32)
            words = WordCounts(rows, texts, clusters, random_state)
    if rows.embeddings is not None and len(rows):
        group_means = GroupMeans(rows.embeddings, clusters, random_state)
    return TableSnapshot(
        person_codes=pd.factorize(rows.persons)[0],
        clusters=clusters,
        cells=cells,
        words=None if words is None or words.is_empty else words,
        group_means=group_means,
        embedding_model=embedding_model,
    )


def _read(column: Column, positions: Array) -> Array:
    values: Array = column.values[positions]
    if column.role != "boolean":
        return values
    names = np.array(["false", "true", None], dtype=object)
    codes = np.where(np.isnan(values), 2, np.nan_to_num(values)).astype(int)
    return np.asarray(names[codes])
