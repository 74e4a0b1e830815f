"""Signatures of texts: the share of equal numbers in two estimates how alike the texts are.

MinHash (Broder 1997): each number is the smallest that a permutation of all n-grams gives those of
a text, so two texts have it in common as often as their sets of n-grams overlap (Jaccard).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.ports import Executor
from job.contracts.row_blocks import cut

Array = npt.NDArray[Any]
NGRAM: Final = 8  # characters, spaces too
N_NUMBERS: Final = 128
_BLOCK: Final = 4096
_SEED: Final = 20261126


def sign_texts(texts: Array, executor: Executor) -> Array:
    """Return the signature of each text, shape (n_texts, N_NUMBERS), uint16.

    The lowest 16 bits of a minimum tell two of them apart but for one in 65,536.
    """
    found = np.empty((len(texts), N_NUMBERS), np.uint16)
    factors, terms = _permutations()

    def fill(block: slice) -> None:
        grams, starts = _hash_ngrams(texts[block])
        values, least = np.empty_like(grams), np.empty(len(starts), np.uint32)
        for n in range(N_NUMBERS):
            np.multiply(grams, factors[n], out=values)
            values += terms[n]
            np.minimum.reduceat(values, starts, out=least)
            found[block, n] = least  # its lowest bits

    with executor.pool() as parallel_map:
        parallel_map(fill, cut(slice(0, len(texts)), _BLOCK))
    return found


def _permutations() -> tuple[Array, Array]:
    """Draw odd factors and terms: modulo 2**32 each pair is a permutation."""
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(0, 2**32, (2, N_NUMBERS), np.uint32)
    return drawn[0] | np.uint32(1), drawn[1]


def _hash_ngrams(texts: Array) -> tuple[Array, Array]:
    """Return a hash of each n-gram, uint32, and where those of each text start.

    A text shorter than an n-gram is filled up to one.
    """
    padded = [text.ljust(NGRAM, "\0") for text in texts]
    letters = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum([len(text) for text in padded])
    mixed = letters.astype(np.uint64)
    width = len(letters) - NGRAM + 1
    hashed = np.zeros(width, np.uint64)
    for n in range(NGRAM):
        hashed *= np.uint64(0x9E3779B97F4A7C15)
        hashed += mixed[n : n + width]
    hashed ^= hashed >> np.uint64(32)
    hashed *= np.uint64(0xD6E8FEB86659FD93)
    is_within = np.ones(width, bool)
    for n in range(1, NGRAM):
        is_within[ends[:-1] - n] = False  # these would reach into the next text
    counts = np.diff(ends, prepend=0) - NGRAM + 1
    starts = np.cumsum(counts) - counts
    return (hashed >> np.uint64(32)).astype(np.uint32)[is_within], starts
