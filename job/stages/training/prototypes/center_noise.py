"""Add noise to the centers, so that two versions do not reveal the rows in which they differ.

How it works
------------
1. A center is a mean of few groups, and the sum of a class's centers is close to a sum over its
   rows.  If a version has one row more than another, the difference of these sums resembles the
   row.  Rounding does not help: it moves as many values as the row does.
2. Gaussian noise of length `_NOISE` on average is added to each center, which then gets length 1
   and is rounded.  The logistic regression on the similarities is fitted to the noisy centers.
3. The noise is drawn from the digest of all distinct training rows with their classes.  The same
   rows give the same model, and one row more gives independent noise.  Only somebody who has every
   bit of all distinct training rows could compute the noise.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from sklearn.preprocessing import normalize

from job.contracts.arrays import Array

_NOISE: Final = 0.6  # centers have length 1; 1.0 costs two points of accuracy on other wording
_DECIMALS: Final = 3


def add_noise(centers: Array, X: Array, label: Array) -> Array:
    """Return noisy centers of about length 1, rounded to 3 decimals.

    Parameters
    ----------
    centers
        Shape (n_centers, n_features); each row has length 1.
    X, label
        The distinct training rows, shape (n_items, n_features), and their classes; the noise
        depends on all of them.
    """
    digest = hashlib.blake2b(np.ascontiguousarray(X).tobytes(), digest_size=32)
    digest.update(label.astype(np.int64).tobytes())
    rng = np.random.default_rng(int.from_bytes(digest.digest(), "big"))
    noise = rng.standard_normal(centers.shape) * _NOISE / np.sqrt(centers.shape[1])
    noisy: Array = np.round(normalize(centers + noise), _DECIMALS)
    return noisy
