"""Split texts into terms: words and pairs of words, or short sequences of characters.

The rules are those of scikit-learn's `CountVectorizer` with the analyzers `word` and `char_wb`;
`docs/model-format.md` states them without scikit-learn.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from scipy import sparse

from job.contracts.row_blocks import split_rows
from job.model_form.block_forms import TermBlock

_WORD: Final = re.compile(r"\w\w+")
_N_TEXTS_AT_ONCE: Final = 1024
_MAX_KNOWN_WORDS: Final = 2**14
_MAX_KNOWN_LENGTH: Final = 64


class TermCounter:
    """Computes the features of one block of terms."""

    def __init__(self, block: TermBlock) -> None:
        self._ngrams = range(block.ngrams[0], block.ngrams[1] + 1)
        self._columns = {term: n for n, term in enumerate(block.list_terms())}
        self._find = self._find_words if block.analyzer == "word" else self._find_characters
        # columns of the terms of recent words: most words of a text are frequent ones
        self._known_words: dict[str, Sequence[int]] = {}

    def transform(self, texts: Iterable[str]) -> sparse.csr_matrix:
        """Return the weights of the terms in each text, shape (n_texts, n_terms).

        A weight is 1 + log(count), divided by the Euclidean length of the row.
        """
        all_texts = list(texts)
        slices = split_rows(slice(0, len(all_texts)), _N_TEXTS_AT_ONCE) or [slice(0, 0)]
        parts = [self._transform(all_texts[rows]) for rows in slices]
        return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")

    def _transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        found, ends = array("q"), [0]
        for text in texts:
            self._find(text.lower(), found)
            ends.append(len(found))
        columns = np.frombuffer(found, np.int64) if found else np.empty(0, np.int64)
        shape = (len(texts), len(self._columns))
        weights = sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=shape)
        weights.sum_duplicates()
        weights.data = 1 + np.log(weights.data)
        rows = np.repeat(np.arange(len(texts)), np.diff(weights.indptr))
        weights.data /= np.sqrt(np.bincount(rows, weights.data**2, len(texts)))[rows]
        return weights

    def _find_words(self, text: str, found: array[int]) -> None:
        """Append the columns of all known sequences of n adjacent words, for each n."""
        words, find = _WORD.findall(text), self._columns.get
        for n in self._ngrams:
            shifted = [words[k:] for k in range(n)]
            terms = map(" ".join, zip(*shifted, strict=False))
            found.extend(column for term in terms if (column := find(term)) is not None)

    def _find_characters(self, text: str, found: array[int]) -> None:
        """Append the columns of all known sequences of n adjacent characters of each word."""
        for word in text.split():
            columns = self._known_words.get(word)
            if columns is None:
                columns = self._split_word(word)
            found.extend(columns)

    def _split_word(self, word: str) -> Sequence[int]:
        """Return the columns of the terms of a word, and remember them."""
        find = self._columns.get
        terms = _iterate_characters(f" {word} ", self._ngrams)
        columns = [column for term in terms if (column := find(term)) is not None]
        if len(word) <= _MAX_KNOWN_LENGTH:
            if len(self._known_words) >= _MAX_KNOWN_WORDS:
                self._known_words.clear()
            self._known_words[word] = columns
        return columns


def _iterate_characters(padded: str, ngrams: range) -> Iterator[str]:
    """Yield all sequences of n adjacent characters, for each n.

    A text of at most n characters is yielded once, as a whole.
    """
    for n in ngrams:
        yield from (padded[start : start + n] for start in range(max(len(padded) - n, 0) + 1))
        if len(padded) <= n:
            break
