"""Count the terms of all texts once, and reuse the counts for every subset of rows.

How it works
------------
1. `Terms` counts words, pairs of words, and character n-grams of all rows.
2. For a subset of rows, `Terms.union` keeps a term that occurs in rows with at least `min_groups`
   different leakage keys.  It builds the term weights of these terms, in which a `CountedTerms`
   replaces each `CountVectorizer`.  These steps take row positions instead of texts; their matrix
   is bitwise equal to that of texts.
3. A weight is 1 + log(count), divided by the length of the row.  There is no inverse document
   frequency: it is a count of rows, so two versions would show which terms a new text contains.
4. Before publication, `replace_counted_terms` replaces each `CountedTerms` by a `CountVectorizer`
   with the selected vocabulary.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.errors import TrainingError

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
        _, self._keys = np.unique(rows.leakage_keys, return_inverse=True)
        self._counted = []
        for analyzer in analyzers:
            vectorizer = _vectorizer(analyzer)
            try:
                counts = vectorizer.fit_transform(rows.text)
            except ValueError:
                continue  # no text has a term
            self._counted.append((analyzer, vectorizer.get_feature_names_out(), counts))

    def union(self, index: Array, min_groups: int) -> tuple[FeatureUnion, Array]:
        """Build unfitted steps that weight the terms that are frequent enough in these rows.

        A term is frequent enough if the rows with the term have at least `min_groups` leakage keys.
        The input of the steps is row positions.  `replace_counted_terms` changes it to texts.

        Returns
        -------
        union
            The steps, not fitted yet.
        columns
            For each column of the matrix, the index of its term among the terms of all rows, shape
            (n_features,).

        Raises
        ------
        TrainingError
            No term occurs in texts of at least `min_groups` leakage keys.
        """
        parts, columns, n_before = [], [], 0
        for analyzer, names, counts in self._counted:
            is_frequent = self._count_keys(counts, index) >= min_groups
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
                f"no term of the text column occurs in {min_groups} distinct rows (rows with the "
                "same leakage key count once)",
                hint="add rows, or use --set features.min_groups=1 to keep every term",
            )
        return FeatureUnion(parts), np.concatenate(columns)

    def _count_keys(self, counts: Any, index: Array) -> Array:
        """Return, for each term, the number of leakage keys of the rows that contain the term."""
        by_key = counts[index]
        keys, inverse = np.unique(self._keys[index], return_inverse=True)
        if len(keys) < len(index):
            ones, rows = np.ones(len(index), np.float32), np.arange(len(index))
            key_of_row = sparse.csr_matrix((ones, (inverse, rows)), shape=(len(keys), len(index)))
            by_key = key_of_row @ by_key
        n_keys: Array = by_key.getnnz(axis=0)
        return n_keys


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
