"""Count the terms of texts once, for every subset of them that is fitted to."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from job.contracts.dataset import Rows
from job.errors import TrainingError

Array = npt.NDArray[Any]
NGRAMS: Final = {"word": (1, 2), "char_wb": (2, 5)}


class CountedTerms(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Stand in for a `CountVectorizer` while fitting: takes positions for texts."""

    def __init__(self, counts: Any, vectorizer: CountVectorizer) -> None:
        self.counts, self.vectorizer = counts, vectorizer

    def __sklearn_clone__(self) -> CountedTerms:
        """Return itself; the counts are shared."""
        return self

    def fit(self, _X: Any, _y: Any = None) -> CountedTerms:
        """Do nothing: the vocabulary is fixed."""
        return self

    def transform(self, X: Any) -> Any:
        """Return the counts of the texts at these positions."""
        return self.counts[np.asarray(X)]


class Terms:
    """The terms of some rows' texts, and how often each stands in each."""

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
        """Build TF-IDF of the terms that so many keys of the rows at `index` hold.

        It takes positions; `restore` makes it take texts.

        Returns
        -------
        union
            Unfitted.
        columns
            The number of each term among those of all rows, shape (n_features,).

        Raises
        ------
        TrainingError
            There is no such term.
        """
        parts, columns, n_before = [], [], 0
        for analyzer, names, counts in self._counted:
            is_kept = self._count_keys(counts, index) >= min_groups
            columns.append(n_before + np.flatnonzero(is_kept))
            n_before += len(names)
            if is_kept.any():
                terms = {term: n for n, term in enumerate(names[is_kept].tolist())}
                stand_in = CountedTerms(
                    counts[:, np.flatnonzero(is_kept)], _vectorizer(analyzer, terms)
                )
                parts.append(
                    (analyzer, make_pipeline(stand_in, TfidfTransformer(sublinear_tf=True)))
                )
        if not parts:
            raise TrainingError(
                f"no term of the text column is held by {min_groups} different keys",
                hint="add rows, or lower features.min_groups",
            )
        return FeatureUnion(parts), np.concatenate(columns)

    def _count_keys(self, counts: Any, index: Array) -> Array:
        found = counts[index]
        keys, inverse = np.unique(self._keys[index], return_inverse=True)
        if len(keys) < len(index):
            ones, rows = np.ones(len(index), np.float32), np.arange(len(index))
            by_key = sparse.csr_matrix((ones, (inverse, rows)), shape=(len(keys), len(index)))
            found = by_key @ found
        n_keys: Array = found.getnnz(axis=0)
        return n_keys


def restore(preprocess: Any) -> Any:
    """Put vectorizers in the place of the counted terms, so that texts are taken; give it back."""
    if isinstance(preprocess, ColumnTransformer):
        for _, part, _ in preprocess.transformers:
            _restore_union(part, is_fitted=False)
        for _, part, _ in preprocess.transformers_:
            _restore_union(part, is_fitted=True)
    _restore_union(preprocess, is_fitted=True)
    return preprocess


def _restore_union(union: Any, *, is_fitted: bool) -> None:
    if isinstance(union, FeatureUnion):
        for _, part in union.transformer_list:
            _restore_step(part, is_fitted=is_fitted)


def _restore_step(part: Pipeline, *, is_fitted: bool) -> None:
    stand_in = part.steps[0][1]
    if isinstance(stand_in, CountedTerms):
        vectorizer = _vectorizer(stand_in.vectorizer.analyzer, stand_in.vectorizer.vocabulary)
        # a vectorizer with a fixed vocabulary learns nothing from texts
        part.steps[0] = ("countvectorizer", vectorizer.fit([""]) if is_fitted else vectorizer)


def _vectorizer(analyzer: str, vocabulary: dict[str, int] | None = None) -> CountVectorizer:
    return CountVectorizer(
        analyzer=analyzer,
        ngram_range=NGRAMS[analyzer],
        vocabulary=vocabulary,
        dtype=np.float32,
    )
