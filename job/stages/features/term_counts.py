"""Count the terms of all texts once, and reuse the counts for every subset of rows.

How it works
------------
1. `Terms` counts words, pairs of words, and character n-grams of all rows.
2. Texts with slots (ids, addresses, dates, amounts) are cut at the slots, and the terms of the
   parts are counted as well.  A person holds a term if one of the person's texts contains the term
   outside slots.  Terms that are only inside slots or across them, such as an e-mail address, are
   held by no one.
3. For a subset of rows, `Terms.union` keeps a term that at least `min_groups` persons hold.  It
   builds steps that weight these terms, in which a `CountedTerms` replaces each `CountVectorizer`.
   These steps take row positions instead of texts, but compute a matrix that is bitwise equal.  A
   term that is kept also counts inside slots, as it does in a published model.
4. A weight is 1 + log(count), divided by the length of the row.  There is no inverse document
   frequency: it depends on a number of rows, so the difference of two versions would show which
   terms a new text contains.
5. Before publication, `replace_counted_terms` replaces each `CountedTerms` by a `CountVectorizer`
   with the selected vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from job.contracts.arrays import Array, Ints, Strings
from job.contracts.dataset import Rows
from job.errors import TrainingError
from job.stages.data.persons import count_holders
from job.stages.data.templates import cut_at_slots

NGRAMS: Final = {"word": (1, 2), "char_wb": (2, 5)}


class CountedTerms(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Looks up counts by row position; replaces `CountVectorizer` while models are fitted."""

    def __init__(self, counts: Any, vectorizer: CountVectorizer) -> None:
        self.counts, self.vectorizer = counts, vectorizer

    def __sklearn_clone__(self) -> CountedTerms:
        """Return this object instead of a copy, so that clones share the counts."""
        return self

    def fit(self, _X: Any, _y: Any = None) -> CountedTerms:
        """Do nothing: the vocabulary is fixed."""
        return self

    def transform(self, X: Any) -> Any:
        """Return the term counts of the texts at the row positions X."""
        return self.counts[np.asarray(X)]


class Terms:
    """The terms of all texts in a table, and the number of times each text contains each term."""

    def __init__(self, rows: Rows, analyzers: tuple[str, ...]) -> None:
        assert rows.text is not None
        self._persons = rows.persons
        self._slotted = _SlottedTexts.of(rows.text)
        self._counted = []
        for analyzer in analyzers:
            vectorizer = _vectorizer(analyzer)
            try:
                counts = vectorizer.fit_transform(rows.text)
            except ValueError:
                continue  # no text has a term
            names = vectorizer.get_feature_names_out()
            self._counted.append((analyzer, names, counts, self._slotted.count(vectorizer)))

    def union(self, index: Array, min_groups: int) -> tuple[FeatureUnion, Array]:
        """Build unfitted steps that weight the terms that are frequent enough in these rows.

        A term is frequent enough if at least `min_groups` persons hold it.
        The input of the steps is row positions.  `replace_counted_terms` changes it to texts.

        Returns
        -------
        union
            The steps, not fitted yet.
        columns
            Shape (n_features,): for each column of the matrix, the position of the column's term
            among the terms of all rows.

        Raises
        ------
        TrainingError
            No term is held by at least `min_groups` persons.
        """
        parts, columns, n_before = [], [], 0
        for analyzer, names, counts, slotted in self._counted:
            is_frequent = self._count_persons(counts, slotted, index) >= min_groups
            columns.append(n_before + np.flatnonzero(is_frequent))
            n_before += len(names)
            if is_frequent.any():
                vocabulary = {term: n for n, term in enumerate(names[is_frequent].tolist())}
                counted_terms = CountedTerms(
                    counts[:, np.flatnonzero(is_frequent)], _vectorizer(analyzer, vocabulary)
                )
                weights = TfidfTransformer(use_idf=False, sublinear_tf=True)
                parts.append((analyzer, make_pipeline(counted_terms, weights)))
        if not parts:
            raise TrainingError(
                f"no term of the text column occurs in texts of {min_groups} persons (near-"
                "duplicates, and texts with the same e-mail address, phone number or id, count as "
                "one person)",
                hint="add rows, or use --set features.min_groups=1 to keep every term",
            )
        return FeatureUnion(parts), np.concatenate(columns)

    def _count_persons(self, counts: Any, slotted_counts: Any, index: Array) -> Array:
        """Return, for each term, the number of persons who hold the term in these rows."""
        place = self._slotted.place[index]
        whole = index[place < 0]
        held = sparse.vstack([counts[whole], slotted_counts[place[place >= 0]]], format="csr")
        order = np.concatenate([whole, index[place >= 0]])
        return count_holders(held, self._persons[order])


@dataclass(frozen=True, slots=True, kw_only=True)
class _SlottedTexts:
    """The texts with slots, cut at the slots.

    Attributes
    ----------
    place
        Position of each row among the texts with slots, shape (n_rows,); -1 for other rows.
    parts
        The parts of all texts with slots.
    text_of_part
        For each part, the position of its text among the texts with slots, ascending.
    """

    place: Ints
    parts: list[str]
    text_of_part: Ints

    @classmethod
    def of(cls, texts: Strings) -> _SlottedTexts:
        cut = [
            (row, parts) for row, text in enumerate(texts) if len(parts := cut_at_slots(text)) > 1
        ]
        place = np.full(len(texts), -1, np.int64)
        place[[row for row, _ in cut]] = np.arange(len(cut))
        return cls(
            place=place,
            parts=[part for _, parts in cut for part in parts],
            text_of_part=np.repeat(np.arange(len(cut)), [len(parts) for _, parts in cut]),
        )

    def count(self, vectorizer: CountVectorizer) -> Any:
        """Return how often each term of the vectorizer occurs in the parts of each text."""
        counts = vectorizer.transform(self.parts)
        n_texts, n_parts = int(self.place.max(initial=-1)) + 1, len(self.parts)
        ones = (np.ones(n_parts, np.float32), (self.text_of_part, np.arange(n_parts)))
        return sparse.csr_matrix(ones, shape=(n_texts, n_parts)) @ counts


def replace_counted_terms(preprocess: Any) -> Any:
    """Let `preprocess` take texts instead of row positions, in place; return it."""
    if isinstance(preprocess, ColumnTransformer):
        for _, part, _ in preprocess.transformers:
            _replace_in_union(part, is_fitted=False)
        for _, part, _ in preprocess.transformers_:
            _replace_in_union(part, is_fitted=True)
    _replace_in_union(preprocess, is_fitted=True)
    return preprocess


def _replace_in_union(union: Any, *, is_fitted: bool) -> None:
    if isinstance(union, FeatureUnion):
        for _, part in union.transformer_list:
            _replace_first_step(part, is_fitted=is_fitted)


def _replace_first_step(part: Pipeline, *, is_fitted: bool) -> None:
    counted_terms = part.steps[0][1]
    if isinstance(counted_terms, CountedTerms):
        vectorizer = _vectorizer(
            counted_terms.vectorizer.analyzer, counted_terms.vectorizer.vocabulary
        )
        # a vectorizer with a given vocabulary needs no texts to be fitted
        part.steps[0] = ("countvectorizer", vectorizer.fit([""]) if is_fitted else vectorizer)


def _vectorizer(analyzer: str, vocabulary: dict[str, int] | None = None) -> CountVectorizer:
    return CountVectorizer(
        analyzer=analyzer,
        ngram_range=NGRAMS[analyzer],
        vocabulary=vocabulary,
        dtype=np.float32,
    )
