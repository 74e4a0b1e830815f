"""Add noise to the centers, so that two versions do not reveal the rows in which they differ.

How it works
------------
1. A center is a mean of few groups, and the sum of a class's centers is close to a sum over its
   rows.  If a version has one row more than another, the difference of these sums resembles the
   row.  Rounding does not hide the row: the more the row changes a value, the more likely the
   rounded value changes too.
2. Gaussian noise of length `_NOISE` on average is added to each center.  Noise of length
   `_CLASS_NOISE` is added to all centers of a class, because independent noise averages out in
   their sum.  Each center then gets length 1 and is rounded.  The logistic regression on the
   similarities is fitted to the noisy centers.
3. The seed of the noise is a digest of all distinct training rows with their classes.  The same
   rows give the same model, and one more row gives independent noise.  To compute the noise, one
   needs every bit of all distinct training rows.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from sklearn.preprocessing import normalize

from job.contracts.arrays import Array

_NOISE: Final = 0.6  # centers have length 1; 1.0 costs two points of accuracy on other wording
_CLASS_NOISE: Final = 0.2
_DECIMALS: Final = 3


def add_noise(centers: Array, center_label: Array, X: Array, label: Array) -> Array:
    """Return noisy centers of about length 1, rounded to 3 decimals.

    Parameters
    ----------
    centers, center_label
        The centers, shape (n_centers, n_features), each of length 1; and their classes, from 0.
    X, label
        The distinct training rows, shape (n_items, n_features), and their classes; the noise
        depends on all of them.
    """
    digest = hashlib.blake2b(np.ascontiguousarray(X).tobytes(), digest_size=32)
    digest.update(label.astype(np.int64).tobytes())
    rng = np.random.default_rng(int.from_bytes(digest.digest(), "big"))
    n_features = centers.shape[1]
    noise = rng.standard_normal(centers.shape) * _NOISE
    noise += rng.standard_normal((center_label.max() + 1, n_features))[center_label] * _CLASS_NOISE
    noisy: Array = np.round(normalize(centers + noise / np.sqrt(n_features)), _DECIMALS)
    return noisy
