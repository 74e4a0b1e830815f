"""Measure how similar evaluated rows are to the rows that their model was trained on.

How it works
------------
1. If the table has texts, rows are compared by normalized text.  The similarity is the cosine
   similarity of counts of character 4-grams (within words).  Without texts, it is the cosine
   similarity of the embeddings.
2. The similarity of an evaluated row is its similarity to the most similar training row of the
   model that predicts the row.  In a cross-fitted evaluation each fold has its own model, so each
   fold is compared separately with the rows of the other folds.  A *part* consists of the evaluated
   rows of one model and the training rows of this model.
3. Equal rows are compared only once.  An *item* is a distinct text or embedding.
4. The work is bounded: if there are many distinct items, a seeded sample is compared.  A sample of
   the training items may miss the most similar one, so similarities are then lower bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.row_blocks import split_rows
from job.stages.data.leakage_keys import key_kind

SimilarityKind = Literal["text", "embeddings"]
Part = tuple[Array, Rows]  # positions in the evaluated rows, and their model's training rows

MAX_EVALUATED_ITEMS: Final = 2000
MAX_TRAINED_ITEMS: Final = 10_000
MAX_PAIRS: Final = 10_000_000
_TEXT_PREFIX: Final = "text:"
_N_COLUMNS: Final = 2**18
_TEXT_BLOCK: Final = 100
_EMBEDDING_BLOCK: Final = 1024
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Similarity of each evaluated row to its most similar training row.

    Attributes
    ----------
    of
        Whether texts or embeddings were compared.
    values
        Similarity of each row, shape (n_rows,), in [-1, 1]; NaN for rows that were not compared.
    n_items, n_sampled_items
        Number of distinct evaluated texts or embeddings (items), and number of compared ones.  Both
        are summed over the models: an item counts once for each model that predicts it.
    n_trained_items, n_sampled_trained_items
        The same numbers for training items.
    """

    of: SimilarityKind
    values: Array
    n_items: int
    n_sampled_items: int
    n_trained_items: int
    n_sampled_trained_items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartItems:
    """The items (distinct texts or embeddings) of one part, numbered across all parts.

    A part consists of the evaluated rows of one model and the training rows of this model.

    Attributes
    ----------
    rows, row_items
        Positions of the evaluated rows that have an item, and the item number of each.
    evaluated, trained
        Sampled items.  `first_evaluated` and `first_trained` have the position of each item's first
        row.
    n_trained
        Number of distinct training items before sampling.
    """

    rows: Array
    row_items: Array
    evaluated: Array
    first_evaluated: Array
    trained: Array
    first_trained: Array
    n_trained: int


def measure_similarity(
    evaluated: Rows, parts: Sequence[Part], random_state: int
) -> Similarity | None:
    """Measure how similar each evaluated row is to its model's most similar training row.

    Parameters
    ----------
    parts
        A pair for each model: the positions in `evaluated` of the rows that the model predicts,
        and the rows that it was trained on.  A hold-out has one part, a cross-fitted evaluation
        has one for each fold.

    Returns
    -------
    similarity
        None if most rows have neither a text nor an embedding that the model takes.
    """
    kind: SimilarityKind = "text" if key_kind(evaluated.text_keys) == "text" else "embeddings"
    if kind == "embeddings" and evaluated.embeddings is None:
        return None
    names, items, n_items = _sample_items(evaluated, parts, kind, random_state)
    texts = _Texts(names, items) if kind == "text" else None
    values = np.full(len(evaluated), np.nan)
    for part, (_, trained) in zip(items, parts, strict=True):
        if len(part.evaluated) and len(part.trained):
            of_item = np.full(len(names), np.nan)
            of_item[part.evaluated] = _compare_part(part, evaluated, trained, texts)
            values[part.rows] = of_item[part.row_items]
    return Similarity(
        of=kind,
        values=values.round(_DIGITS),
        n_items=n_items,
        n_sampled_items=sum(len(part.evaluated) for part in items),
        n_trained_items=sum(part.n_trained for part in items),
        n_sampled_trained_items=sum(len(part.trained) for part in items),
    )


def _compare_part(part: _PartItems, evaluated: Rows, trained: Rows, texts: _Texts | None) -> Array:
    """Return the similarity of each sampled evaluated item to its most similar training item."""
    if texts is not None:
        return texts.max_similarity(part.evaluated, part.trained)
    return _max_cosine_similarity(
        evaluated.take(part.first_evaluated), trained.take(part.first_trained)
    )


def _sample_items(
    evaluated: Rows, parts: Sequence[Part], kind: SimilarityKind, random_state: int
) -> tuple[Array, list[_PartItems], int]:
    """Sample the items (distinct texts or embeddings) of each part.

    Returns
    -------
    names, items, n_items
        The text or the embedding key of each item; the sampled items of each part; and the total
        number of evaluated items of all parts before sampling.
    """
    key_arrays = [evaluated.text_keys, *(trained.text_keys for _, trained in parts)]
    numbers, names = pd.factorize(np.concatenate(key_arrays))
    has_item = np.array([_has_item(name, kind) for name in names], bool)
    split_points = np.cumsum([len(keys) for keys in key_arrays])[:-1]
    evaluated_items, *trained_items = np.split(numbers, split_points)
    rng = np.random.default_rng(random_state)
    rank = rng.permutation(len(names))  # one order for all parts, so that their samples overlap
    part_items = []
    for (positions, _), train_keys in zip(parts, trained_items, strict=True):
        rows = np.asarray(positions)[has_item[evaluated_items[positions]]]
        items, first = np.unique(evaluated_items[rows], return_index=True)
        trained, first_trained = np.unique(train_keys, return_index=True)
        trained, first_trained = trained[has_item[trained]], first_trained[has_item[trained]]
        sample = np.sort(np.argsort(rank[trained], kind="stable")[:MAX_TRAINED_ITEMS])
        part = _PartItems(
            rows=rows,
            row_items=evaluated_items[rows],
            evaluated=items,
            first_evaluated=rows[first],
            trained=trained[sample],
            first_trained=first_trained[sample],
            n_trained=len(trained),
        )
        part_items.append(part)
    n_items = sum(len(part.evaluated) for part in part_items)
    return names, _sample_evaluated(part_items, n_items, rng), n_items


def _sample_evaluated(
    items: Sequence[_PartItems], n_items: int, rng: np.random.Generator
) -> list[_PartItems]:
    """Keep a sample of the evaluated items, so that the number of comparisons is bounded."""
    n_trained = max((len(part.trained) for part in items), default=0)
    n_sampled = min(n_items, MAX_EVALUATED_ITEMS, max(MAX_PAIRS // max(n_trained, 1), 1))
    is_sampled = np.zeros(n_items, bool)
    is_sampled[rng.permutation(n_items)[:n_sampled]] = True
    masks = np.split(is_sampled, np.cumsum([len(part.evaluated) for part in items])[:-1])
    return [
        replace(part, evaluated=part.evaluated[mask], first_evaluated=part.first_evaluated[mask])
        for part, mask in zip(items, masks, strict=True)
    ]


def _has_item(key: str, kind: SimilarityKind) -> bool:
    return kind == "embeddings" or key.startswith(_TEXT_PREFIX)


class _Texts:
    """Character 4-gram counts of all sampled texts.  They are computed once for all parts."""

    def __init__(self, names: Array, items: Sequence[_PartItems]) -> None:
        used = np.unique(
            np.concatenate([n for part in items for n in (part.evaluated, part.trained)])
        )
        self._row_of = np.full(len(names), -1)
        self._row_of[used] = np.arange(len(used))
        vectorizer = HashingVectorizer(
            analyzer="char_wb", ngram_range=(4, 4), n_features=_N_COLUMNS, alternate_sign=False
        )
        self._counts = vectorizer.transform([names[number][len(_TEXT_PREFIX) :] for number in used])

    def max_similarity(self, evaluated: Array, trained: Array) -> Array:
        """Return the similarity of each evaluated text to the most similar training text."""
        X = self._counts[self._row_of[evaluated]]
        trained_columns = self._counts[self._row_of[trained]].T.tocsr()
        blocks = split_rows(slice(0, len(evaluated)), _TEXT_BLOCK)
        maxima = [(X[rows] @ trained_columns).max(axis=1).toarray().ravel() for rows in blocks]
        similarity: Array = np.concatenate(maxima).clip(0, 1)
        return similarity


def _max_cosine_similarity(evaluated: Rows, trained: Rows) -> Array:
    """Return the cosine similarity of each evaluated row to the most similar training row."""
    assert evaluated.embeddings is not None and trained.embeddings is not None
    X = _unit_rows(evaluated.embeddings, slice(None))
    similarity = np.full(len(evaluated), -1.0)
    for rows in split_rows(slice(0, len(trained)), _EMBEDDING_BLOCK):
        cosines = X @ _unit_rows(trained.embeddings, rows).T
        similarity = np.maximum(similarity, cosines.max(axis=1))
    return similarity.clip(-1, 1)


def _unit_rows(embeddings: MatrixRows, rows: slice) -> Array:
    """Return rows divided by their lengths, in double precision; rows of zeros stay zeros."""
    X = embeddings.read(rows).astype(float)
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    unit: Array = X / np.where(lengths > 0, lengths, 1.0)
    return unit
