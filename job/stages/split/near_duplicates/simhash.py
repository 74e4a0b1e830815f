"""SimHash signatures of embeddings: the share of equal bits estimates the angle between two rows.

How it works
------------
1. 512 random hyperplanes through the origin are drawn.
2. Each bit of a signature says on which side of a hyperplane the embedding is (Charikar 2002).
3. If the angle between two embeddings is a, each bit is equal with probability 1 - a / pi.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.matrix_rows import MatrixRows
from job.contracts.ports import Executor
from job.contracts.row_blocks import split_rows

N_BITS: Final = 512
_BLOCK: Final = 8192
_SEED: Final = 20261126


def sign_embeddings(embeddings: MatrixRows, executor: Executor) -> Array:
    """Return the signature of each row: bits packed into uint16, shape (n_rows, N_BITS / 16)."""
    n_rows, width = embeddings.shape
    rng = np.random.default_rng(_SEED)
    normals = rng.standard_normal((width, N_BITS), np.float32)
    bits = np.empty((n_rows, N_BITS // 8), np.uint8)

    def fill(block: slice) -> None:
        bits[block] = np.packbits(embeddings.read(block) @ normals > 0, axis=1)

    with executor.pool() as parallel_map:
        parallel_map(fill, split_rows(slice(0, n_rows), _BLOCK))
    return bits.view(np.uint16)


def expected_bit_share(cosine: float) -> float:
    """Return the expected share of equal bits of two embeddings with this cosine similarity."""
    return 1 - math.acos(cosine) / math.pi
