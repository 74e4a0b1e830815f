"""The vocabulary of a table: words that enough persons use, and the share of unseen words.

How it works
------------
1. Draw at most 100,000 texts, and mask slots such as dates and ids.
2. Count the words of each text.  A word that enough persons use is stored as a keyed digest.
3. As the baseline, compute the share of unseen words in the old table itself.  A word of a text
   counts as unseen if too few other persons use it, as if the text's person were new.
4. In a later table, a word is unseen if its digest is not stored.  Drift is the increase in the
   share of unseen words.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from scipy.stats import norm
from sklearn.feature_extraction.text import CountVectorizer

from job.contracts.arrays import Array, Strings
from job.contracts.dataset import Rows
from job.contracts.lineage_key import LineageKey
from job.contracts.reports.profile import Words
from job.stages.data.persons import count_holders
from job.stages.data.templates import TEXT_PREFIX, make_templates
from job.stages.drift.clusters import Clusters, estimate_ratio
from job.stages.drift.histograms import CONFIDENCE
from job.stages.lineage.keyed_digests import keyed_digests

_MAX_ROWS: Final = 100_000  # a sample of this size is precise enough


class WordCounts:
    """How often each word occurs in each text of a sample.

    Parameters
    ----------
    rows, texts
        Rows and their raw texts, shape (n_rows,); slots (dates, ids and the like) are left out.
    """

    def __init__(self, rows: Rows, texts: Strings, clusters: Clusters, random_state: int) -> None:
        keys = make_templates(texts, rows.text_keys) if rows.templates is None else rows.templates
        index = np.flatnonzero([key.startswith(TEXT_PREFIX) for key in keys])
        if len(index) > _MAX_ROWS:
            drawn = np.random.default_rng(random_state).choice(index, _MAX_ROWS, replace=False)
            index = np.sort(drawn)
        masked = [key.removeprefix(TEXT_PREFIX) for key in keys[index]]
        self._clusters, self._persons = clusters.take(index), rows.persons[index]
        vectorizer = CountVectorizer()
        try:
            self._counts = vectorizer.fit_transform(masked).tocsr()
            self._words = vectorizer.get_feature_names_out()
        except ValueError:  # no text has a word
            self._counts = sparse.csr_matrix((len(masked), 0))
            self._words = np.array([], dtype=object)

    @property
    def is_empty(self) -> bool:
        """Whether no text contains any word."""
        return not len(self._words)

    def build_vocabulary(self, min_groups: int, key: LineageKey) -> tuple[Words, Array]:
        """Return the vocabulary: its statistics, and digests of the words that enough persons use.

        A word of a text counts as unseen if fewer than `min_groups` other persons use it, as if the
        text's person were new.

        Returns
        -------
        words
            The vocabulary's size, and the share of unseen words.
        digests
            Keyed digests of the words, sorted, shape (n_words,), uint64.
        """
        n_persons = count_holders(self._counts, self._persons)
        share, error = self._measure_unseen(n_persons <= min_groups)
        digests = np.sort(self._digest(key)[n_persons >= min_groups])
        words = Words(
            n_rows=self._counts.shape[0],
            n_words=len(digests),
            unseen_share=round(share, 9),
            standard_error=round(error, 9),
        )
        return words, digests

    def unseen_share(
        self, before: Words, vocabulary: Array, key: LineageKey
    ) -> tuple[float, float]:
        """Return the share of words that are not in the vocabulary of the old table.

        Also return the 99.9% quantile of the increase that the random choice of texts can cause.

        Parameters
        ----------
        before
            Statistics of the table that the vocabulary comes from.
        vocabulary
            Digests of the vocabulary's words, made with `key`.
        """
        share, error = self._measure_unseen(~np.isin(self._digest(key), vocabulary))
        null_quantile = norm.ppf(CONFIDENCE) * np.hypot(error, before.standard_error)
        return share, float(null_quantile)

    def _digest(self, key: LineageKey) -> Array:
        return keyed_digests("word", self._words.tolist(), key)

    def _measure_unseen(self, is_unseen: Array) -> tuple[float, float]:
        n_words = np.asarray(self._counts.sum(axis=1)).ravel().astype(float)
        return estimate_ratio(self._counts @ is_unseen.astype(float), n_words, self._clusters)
