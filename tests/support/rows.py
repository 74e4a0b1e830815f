"""Rows built in memory: texts or embeddings with their keys."""

import hashlib

import numpy as np
import pandas as pd

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.stages.data.leakage_keys import normalize


def rows_of_texts(texts, *, near_duplicate_groups=None, y=None):
    """Return rows with texts; by default, each text is its own near-duplicate group."""
    keys = np.array([f"text:{normalize(text)}" for text in texts], dtype=object)
    return _rows(keys, None, near_duplicate_groups, y)


def rows_of_embeddings(X, *, near_duplicate_groups=None, y=None):
    """Return rows with embeddings and without texts."""
    X = np.ascontiguousarray(X, dtype=np.float32)
    digests = (hashlib.blake2b(x.tobytes(), digest_size=16).hexdigest() for x in X)
    keys = np.array([f"embedding:{digest}" for digest in digests], dtype=object)
    return _rows(keys, MatrixRows(X, np.arange(len(X))), near_duplicate_groups, y)


def _rows(keys, embeddings, near_duplicate_groups, y):
    key_groups, _ = pd.factorize(keys)
    return Rows(
        y=np.array(["a"] * len(keys) if y is None else y, dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=embeddings,
        frame=pd.DataFrame(index=range(len(keys))),
        near_duplicate_groups=np.asarray(
            key_groups if near_duplicate_groups is None else near_duplicate_groups, dtype=np.int64
        ),
    )
