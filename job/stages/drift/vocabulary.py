"""The words of texts: which many units hold, and how many of a text's words are others."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy import sparse
from scipy.stats import norm
from sklearn.feature_extraction.text import CountVectorizer

from job.contracts.dataset import Rows
from job.contracts.reports.profile import Words
from job.stages.data.leakage_keys import salted_digests
from job.stages.drift.clusters import Clusters, ratio_error
from job.stages.drift.histograms import CONFIDENCE
from job.stages.split.near_duplicates.templates import TEXT

Array = np.ndarray[Any, Any]
_MAX_ROWS: Final = 100_000  # a sample of so many says enough


class CountedWords:
    """How often each word stands in each text of a sample.

    Parameters
    ----------
    rows
        Rows with texts, whose slots are left out where templates are known.
    """

    def __init__(self, rows: Rows, clusters: Clusters, random_state: int) -> None:
        self.is_masked = rows.templates is not None
        keys = rows.text_keys if rows.templates is None else rows.templates
        index = np.flatnonzero([key.startswith(TEXT) for key in keys])
        if len(index) > _MAX_ROWS:
            drawn = np.random.default_rng(random_state).choice(index, _MAX_ROWS, replace=False)
            index = np.sort(drawn)
        texts = [key.removeprefix(TEXT) for key in keys[index]]
        self._units = clusters.take(index)
        vectorizer = CountVectorizer()
        try:
            self._counts = vectorizer.fit_transform(texts).tocsr()
            self._names = vectorizer.get_feature_names_out()
        except ValueError:  # no text has a word
            self._counts = sparse.csr_matrix((len(texts), 0))
            self._names = np.array([], dtype=object)

    @property
    def is_empty(self) -> bool:
        """Whether no text has a word."""
        return not len(self._names)

    def keep(self, least: int, salt: str) -> tuple[Words, Array]:
        """Keep the words that so many units hold, as sorted salted digests, and what is unseen.

        A word of a text counts as unseen if fewer than `least` other units hold it: as it would be
        if the text were new.

        Returns
        -------
        words
            Their numbers.
        digests
            Shape (n_words,), uint64.
        """
        n_clusters = self._count_units()
        share, error = self._unseen_share(n_clusters <= least)
        digests = np.sort(self._digest(salt)[n_clusters >= least])
        words = Words(
            n_rows=self._counts.shape[0],
            salt=salt,
            n_words=len(digests),
            is_masked=self.is_masked,
            unseen_share=round(share, 9),
            standard_error=round(error, 9),
        )
        return words, digests

    def unseen(self, before: Words, known: Array) -> tuple[float, float]:
        """Return the share of unseen words, and how much more than before chance may make it.

        That is the chance of texts; the words of the champion's are taken as they are.

        Parameters
        ----------
        known
            Digests of the words that were kept, by the salt of `before`.
        """
        share, error = self._unseen_share(~np.isin(self._digest(before.salt), known))
        by_chance = norm.ppf(CONFIDENCE) * np.hypot(error, before.standard_error)
        return share, float(by_chance)

    def _digest(self, salt: str) -> Array:
        return salted_digests("word", self._names.tolist(), salt)

    def _count_units(self) -> Array:
        n_texts = self._counts.shape[0]
        ones = np.ones(n_texts, np.float32)
        by_unit = sparse.csr_matrix((ones, (self._units.codes, np.arange(n_texts)))) @ self._counts
        n_clusters: Array = by_unit.getnnz(axis=0)
        return n_clusters

    def _unseen_share(self, is_unseen: Array) -> tuple[float, float]:
        n_words = np.asarray(self._counts.sum(axis=1)).ravel().astype(float)
        return ratio_error(self._counts @ is_unseen.astype(float), n_words, self._units)
