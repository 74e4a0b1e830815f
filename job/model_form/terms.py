"""Split texts into terms: words and pairs of words, or short sequences of characters.

The rules are those of scikit-learn's `CountVectorizer` with the analyzers `word` and `char_wb`;
`docs/model-format.md` states them without scikit-learn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from scipy import sparse

from job.model_form.block_forms import TermBlock

_WORD: Final = re.compile(r"\w\w+")


class TermCounter:
    """Computes the features of one block of terms."""

    def __init__(self, block: TermBlock) -> None:
        self._split = _ANALYZERS[block.analyzer]
        self._ngrams = range(block.ngrams[0], block.ngrams[1] + 1)
        self._columns = {term: n for n, term in enumerate(block.list_terms())}

    def transform(self, texts: Iterable[str]) -> sparse.csr_matrix:
        """Return the weights of the terms in each text, shape (n_texts, n_terms).

        A weight is 1 + log(count), divided by the Euclidean length of the row.
        """
        columns, values, ends = [], [], [0]
        for text in texts:
            counts = self._count(text)
            weights = 1 + np.log(np.fromiter(counts.values(), np.float64, len(counts)))
            columns.append(np.fromiter(counts, np.int64, len(counts)))
            values.append(weights / (np.sqrt(weights @ weights) or 1.0))
            ends.append(ends[-1] + len(counts))
        parts = (_concatenate(values, np.float64), _concatenate(columns, np.int64), ends)
        return sparse.csr_matrix(parts, shape=(len(values), len(self._columns)))

    def _count(self, text: str) -> dict[int, int]:
        """Return how often each known term occurs in a text, by the term's column."""
        counts: dict[int, int] = {}
        for term in self._split(text.lower(), self._ngrams):
            column = self._columns.get(term)
            if column is not None:
                counts[column] = counts.get(column, 0) + 1
        return counts


def _concatenate(parts: list[np.ndarray], dtype: type[np.generic]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _iterate_words(text: str, ngrams: range) -> Iterator[str]:
    """Yield all sequences of n adjacent words, for each n."""
    words = _WORD.findall(text)
    for n in ngrams:
        for start in range(len(words) - n + 1):
            yield " ".join(words[start : start + n])


def _iterate_characters(text: str, ngrams: range) -> Iterator[str]:
    """Yield all sequences of n adjacent characters of each word, for each n.

    A word has a space on each side.  A word of at most n characters is yielded once, as a whole.
    """
    for word in text.split():
        padded = f" {word} "
        for n in ngrams:
            yield from (padded[start : start + n] for start in range(max(len(padded) - n, 0) + 1))
            if len(padded) <= n:
                break


_ANALYZERS: Final[dict[str, Callable[[str, range], Iterator[str]]]] = {
    "word": _iterate_words,
    "char_wb": _iterate_characters,
}
