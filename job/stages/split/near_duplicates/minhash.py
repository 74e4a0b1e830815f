"""MinHash signatures of texts: the share of equal numbers estimates the Jaccard similarity.

How it works
------------
1. Each text is a set of character n-grams, which are hashed to 32 bits.
2. 128 random permutations are applied to the hash values.  The signature has one number for each
   permutation: the minimum over the n-grams of the text (Broder 1997).
3. The probability that two texts have the same minimum equals the Jaccard similarity of their sets
   of n-grams.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.ports import Executor
from job.contracts.row_blocks import split_rows

NGRAM: Final = 8  # characters, including spaces
N_NUMBERS: Final = 128
_BLOCK: Final = 4096
_SEED: Final = 20261126


def sign_texts(texts: Array, executor: Executor) -> Array:
    """Return the signature of each text, shape (n_texts, N_NUMBERS), uint16.

    Only the lowest 16 bits of each minimum are kept.  The probability that these bits of two
    different minima are equal is 1 / 65,536.
    """
    signatures = np.empty((len(texts), N_NUMBERS), np.uint16)
    factors, terms = _draw_permutations()

    def fill(block: slice) -> None:
        grams, starts = _hash_ngrams(texts[block])
        values, minima = np.empty_like(grams), np.empty(len(starts), np.uint32)
        for n in range(N_NUMBERS):
            np.multiply(grams, factors[n], out=values)
            values += terms[n]
            np.minimum.reduceat(values, starts, out=minima)
            signatures[block, n] = minima  # the lowest bits

    with executor.pool() as parallel_map:
        parallel_map(fill, split_rows(slice(0, len(texts)), _BLOCK))
    return signatures


def _draw_permutations() -> tuple[Array, Array]:
    """Draw random permutations x -> a x + b modulo 2**32; return all a (odd numbers) and all b."""
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(0, 2**32, (2, N_NUMBERS), np.uint32)
    return drawn[0] | np.uint32(1), drawn[1]


def _hash_ngrams(texts: Array) -> tuple[Array, Array]:
    """Return a hash of each n-gram, uint32, and the position of each text's first n-gram.

    Texts shorter than an n-gram are padded.
    """
    padded = [text.ljust(NGRAM, "\0") for text in texts]
    letters = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum([len(text) for text in padded])
    code_points = letters.astype(np.uint64)
    width = len(letters) - NGRAM + 1
    hashed = np.zeros(width, np.uint64)
    for n in range(NGRAM):
        hashed *= np.uint64(0x9E3779B97F4A7C15)
        hashed += code_points[n : n + width]
    hashed ^= hashed >> np.uint64(32)
    hashed *= np.uint64(0xD6E8FEB86659FD93)
    is_within = np.ones(width, bool)
    for n in range(1, NGRAM):
        is_within[ends[:-1] - n] = False  # these n-grams would extend into the next text
    counts = np.diff(ends, prepend=0) - NGRAM + 1
    starts = np.cumsum(counts) - counts
    return (hashed >> np.uint64(32)).astype(np.uint32)[is_within], starts
