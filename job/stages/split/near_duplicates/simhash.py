"""Signatures of embeddings: the share of equal bits in two estimates the angle between them.

Each bit says on which side of a random hyperplane the embedding lies (Charikar 2002).
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.dataset import MatrixRows
from job.contracts.ports import Executor
from job.contracts.row_blocks import cut

Array = npt.NDArray[Any]
N_BITS: Final = 512
_BLOCK: Final = 8192
_SEED: Final = 20261126


def sign_embeddings(embeddings: MatrixRows, executor: Executor) -> Array:
    """Return the signature of each row, shape (n_rows, N_BITS / 16), uint16."""
    n_rows, width = embeddings.shape
    rng = np.random.default_rng(_SEED)
    normals = rng.standard_normal((width, N_BITS), np.float32)
    found = np.empty((n_rows, N_BITS // 8), np.uint8)

    def fill(block: slice) -> None:
        found[block] = np.packbits(embeddings.read(block) @ normals > 0, axis=1)

    with executor.pool() as parallel_map:
        parallel_map(fill, cut(slice(0, n_rows), _BLOCK))
    return found.view(np.uint16)


def share_of_bits(cosine: float) -> float:
    """Return the share of bits that two embeddings of this cosine have in common."""
    return 1 - math.acos(cosine) / math.pi
