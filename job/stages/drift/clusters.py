"""What hangs together among rows, and how sure shares of rows are for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Groups, or families of near-duplicates.

    Attributes
    ----------
    codes
        The unit of each row, shape (n_rows,), from 0.
    sizes
        Rows of each unit, shape (n_clusters,).
    """

    codes: Array
    sizes: Array

    def take(self, index: Array) -> Clusters:
        """Return the units of some rows, numbered anew."""
        return number_clusters(self.codes[index])


def number_clusters(names: Array) -> Clusters:
    """Number what the rows are units of."""
    _, codes, sizes = np.unique(names, return_inverse=True, return_counts=True)
    return Clusters(codes=codes, sizes=sizes)


def share_covariance(codes: Array, shares: Array, clusters: Clusters) -> Array:
    """Return the covariance of the shares of bins by the jackknife over units.

    Without a unit of m rows, c of them in a bin, the bin's share p moves by (c - m p) / (n - m); so
    a large unit does not hide what it does.

    Parameters
    ----------
    codes
        Bin of each row, shape (n_rows,).
    shares
        Shape (n_bins,).

    Returns
    -------
    covariance
        Shape (n_bins, n_bins).
    """
    n, n_bins, sizes = len(codes), len(shares), clusters.sizes
    if len(sizes) < 2:  # as sure as a single row
        return np.asarray(np.diag(shares) - np.outer(shares, shares))
    weights = 1 / (n - sizes)
    ones = weights[clusters.codes]
    moved = sparse.csr_matrix((ones, (clusters.codes, codes)), shape=(len(sizes), n_bins))
    by_size = weights * sizes
    both = np.outer(moved.T @ by_size, shares)
    squares = np.outer(shares, shares) * (by_size**2).sum()
    moves = (moved.T @ moved).toarray() - both - both.T + squares
    return np.asarray(moves * (len(sizes) - 1) / len(sizes))


def ratio_error(parts: Array, wholes: Array, clusters: Clusters) -> tuple[float, float]:
    """Return the ratio of two sums over rows, and its standard error over units.

    Parameters
    ----------
    parts, wholes
        Shape (n_rows,).
    """
    total = float(wholes.sum())
    if not total:
        return 0.0, 0.0
    ratio = float(parts.sum()) / total
    rest = np.bincount(clusters.codes, parts - ratio * wholes)
    return ratio, float(np.sqrt((rest**2).sum())) / total
