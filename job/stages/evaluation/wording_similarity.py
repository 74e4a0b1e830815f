"""How similar judged rows are to the rows that their model was trained on.

How it works
1. Two rows are compared by their normalized texts, where the table has texts: cosine similarity of
   counts of their character 4-grams (within words), hashed into a fixed number of columns. Without
   texts, by the cosine similarity of their embeddings.
2. A judged row's similarity is that to the nearest row that the model judging it was trained on.
   In a cross-fitted evaluation each fold is judged by another model, so the comparison is made
   part by part: the fold's rows against the rows outside it.
3. Equal rows are compared once. The work is bounded: of many distinct judged or training items a
   seeded sample is compared. A sample of the training items can only miss the nearest one, so
   similarities are then lower bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer

from job.contracts.dataset import MatrixRows, Rows
from job.contracts.row_blocks import cut
from job.stages.data.leakage_keys import key_kind

Array = npt.NDArray[Any]
SimilarityKind = Literal["text", "embeddings"]
Part = tuple[Array, Rows]  # positions in the judged rows, and the rows that their model has seen

MAX_JUDGED_ITEMS: Final = 2000
MAX_TRAINED_ITEMS: Final = 10_000
MAX_PAIRS: Final = 10_000_000
_TEXT: Final = "text:"
_N_COLUMNS: Final = 2**18
_TEXT_BLOCK: Final = 100
_EMBEDDING_BLOCK: Final = 1024
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Similarity of judged rows to the nearest training row.

    Attributes
    ----------
    of
        What was compared.
    values
        Shape (n_rows,), in [-1, 1]; NaN for rows that were not compared.
    n_items, n_sampled_items
        Distinct judged items, and those compared; an item counts once in every part.
    n_trained_items, n_sampled_trained_items
        Distinct training items and those compared, summed over the parts.
    """

    of: SimilarityKind
    values: Array
    n_items: int
    n_sampled_items: int
    n_trained_items: int
    n_sampled_trained_items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartItems:
    """The items of one part, as numbers that mean the same in all parts.

    Attributes
    ----------
    rows, of_row
        Positions of the judged rows that have an item, and the item of each.
    judged, trained
        Sampled items, with the first rows that have them.
    n_trained
        Distinct training items, sampled or not.
    """

    rows: Array
    of_row: Array
    judged: Array
    first_judged: Array
    trained: Array
    first_trained: Array
    n_trained: int


def measure_similarity(judged: Rows, parts: Sequence[Part], random_state: int) -> Similarity | None:
    """Measure the similarity of judged rows to the nearest row that their model was trained on.

    Parameters
    ----------
    judged
        Rows that were judged.
    parts
        For each model that judges some of them: their positions in `judged`, and the rows that the
        model was trained on. A hold-out has one part, a cross-fitted evaluation one for each fold.

    Returns
    -------
    similarity
        None where most rows have neither a text nor an embedding that the model takes.
    """
    kind: SimilarityKind = "text" if key_kind(judged.text_keys) == "text" else "embeddings"
    if kind == "embeddings" and judged.embeddings is None:
        return None
    names, items, n_items = _sample_items(judged, parts, kind, random_state)
    texts = _Texts(names, items) if kind == "text" else None
    values = np.full(len(judged), np.nan)
    did_you_mean = np.full(len(names), np.nan)
    for part, (_, trained) in zip(items, parts, strict=True):
        if not len(part.judged) or not len(part.trained):
            continue
        did_you_mean[:] = np.nan
        if texts is not None:
            did_you_mean[part.judged] = texts.find_nearest(part.judged, part.trained)
        else:
            one, other = judged.take(part.first_judged), trained.take(part.first_trained)
            did_you_mean[part.judged] = _find_nearest(one, other)
        values[part.rows] = did_you_mean[part.of_row]
    return Similarity(
        of=kind,
        values=values.round(_DIGITS),
        n_items=n_items,
        n_sampled_items=sum(len(part.judged) for part in items),
        n_trained_items=sum(part.n_trained for part in items),
        n_sampled_trained_items=sum(len(part.trained) for part in items),
    )


def _sample_items(
    judged: Rows, parts: Sequence[Part], kind: SimilarityKind, random_state: int
) -> tuple[Array, list[_PartItems], int]:
    """Return the names of all items, a sample of each part's, and how many were judged in all."""
    columns = [judged.text_keys, *(trained.text_keys for _, trained in parts)]
    numbers, names = pd.factorize(np.concatenate(columns))
    has_item = np.array([_has_item(name, kind) for name in names], bool)
    of_judged, *of_trained = np.split(numbers, np.cumsum([len(some) for some in columns])[:-1])
    rng = np.random.default_rng(random_state)
    rank = rng.permutation(len(names))  # one order for all parts, so that their samples overlap
    found = []
    for (positions, _), trained in zip(parts, of_trained, strict=True):
        rows = np.asarray(positions)[has_item[of_judged[positions]]]
        items, first = np.unique(of_judged[rows], return_index=True)
        others, first_other = np.unique(trained, return_index=True)
        others, first_other = others[has_item[others]], first_other[has_item[others]]
        chosen = np.sort(np.argsort(rank[others], kind="stable")[:MAX_TRAINED_ITEMS])
        part = _PartItems(
            rows=rows,
            of_row=of_judged[rows],
            judged=items,
            first_judged=rows[first],
            trained=others[chosen],
            first_trained=first_other[chosen],
            n_trained=len(others),
        )
        found.append(part)
    return names, _draw_judged(found, rng), sum(len(part.judged) for part in found)


def _draw_judged(items: Sequence[_PartItems], rng: np.random.Generator) -> list[_PartItems]:
    """Keep a sample of the judged items, so that the number of comparisons is bounded."""
    n_items = sum(len(part.judged) for part in items)
    n_trained = max((len(part.trained) for part in items), default=0)
    n_taken = min(n_items, MAX_JUDGED_ITEMS, max(MAX_PAIRS // max(n_trained, 1), 1))
    is_taken = np.zeros(n_items, bool)
    is_taken[rng.permutation(n_items)[:n_taken]] = True
    bounds = np.cumsum([len(part.judged) for part in items])[:-1]
    return [
        replace(part, judged=part.judged[some], first_judged=part.first_judged[some])
        for part, some in zip(items, np.split(is_taken, bounds), strict=True)
    ]


def _has_item(key: str, kind: SimilarityKind) -> bool:
    return kind == "embeddings" or key.startswith(_TEXT)


class _Texts:
    """Counts of character 4-grams of all sampled texts, each text counted once."""

    def __init__(self, names: Array, items: Sequence[_PartItems]) -> None:
        used = np.unique(np.concatenate([n for part in items for n in (part.judged, part.trained)]))
        self._row_of = np.full(len(names), -1)
        self._row_of[used] = np.arange(len(used))
        vectorizer = HashingVectorizer(
            analyzer="char_wb", ngram_range=(4, 4), n_features=_N_COLUMNS, alternate_sign=False
        )
        self._counts = vectorizer.transform([names[number][len(_TEXT) :] for number in used])

    def find_nearest(self, judged: Array, trained: Array) -> Array:
        """Return the similarity of each judged text to the nearest training text."""
        one = self._counts[self._row_of[judged]]
        other = self._counts[self._row_of[trained]].T.tocsr()
        blocks = cut(slice(0, len(judged)), _TEXT_BLOCK)
        found = [(one[some] @ other).max(axis=1).toarray().ravel() for some in blocks]
        did_you_mean: Array = np.concatenate(found).clip(0, 1)
        return did_you_mean


def _find_nearest(judged: Rows, trained: Rows) -> Array:
    """Return the cosine similarity of each judged row to the nearest training row."""
    assert judged.embeddings is not None and trained.embeddings is not None
    X = _unit_rows(judged.embeddings, slice(None))
    found = np.full(len(judged), -1.0)
    for some in cut(slice(0, len(trained)), _EMBEDDING_BLOCK):
        cosines = X @ _unit_rows(trained.embeddings, some).T
        found = np.maximum(found, cosines.max(axis=1))
    return found.clip(-1, 1)


def _unit_rows(embeddings: MatrixRows, rows: slice) -> Array:
    """Return rows divided by their lengths, in double precision; rows of zeros stay zero."""
    X = embeddings.read(rows).astype(float)
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    unit: Array = X / np.where(lengths > 0, lengths, 1.0)
    return unit
