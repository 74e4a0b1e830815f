"""Requests in people's own words, in the columns of the upstream's table."""

from pathlib import Path

import numpy as np
import pandas as pd

from job.contracts.matrix_rows import MatrixRows
from job.stages.features.geometry import find_geometry

OWN_WORDS = Path(__file__).parents[1] / "data/requests/own_words.parquet"


def read_own_words(style):
    """Return the requests of one style; column `minilm` has rows of length 1."""
    table = pd.read_parquet(OWN_WORDS)
    return table[table["style"] == style].reset_index(drop=True)


class UpstreamColumns:
    """The affine map from MiniLM's rows of length 1 to the columns of an upstream table.

    The columns after MiniLM's, which depend on the vocabulary of the batch, are zeros: their mean.
    """

    def __init__(self, path):
        embeddings = np.stack(pd.read_parquet(path, columns=["embeddings"])["embeddings"])
        self._width = embeddings.shape[1]
        self._map = find_geometry(
            MatrixRows(embeddings.astype(np.float32), np.arange(len(embeddings))), 0
        ).map

    def __call__(self, minilm):
        """Return rows as the upstream would have written them with its table's scalers."""
        affine, columns = self._map, self._map.columns
        rows = np.zeros((len(minilm), self._width), np.float32)
        rows[:, columns] = (
            np.stack(minilm).astype(float)[:, columns] - affine.offset
        ) / affine.scale
        return rows
