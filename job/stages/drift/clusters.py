"""Clusters of dependent rows, and standard errors that are computed over clusters.

How it works
------------
1. The rows of a group (`Rows.groups`) depend on each other, so groups are the sampling units.
2. The covariance of the shares of a histogram's bins is estimated by the jackknife, which leaves
   out one group at a time.
3. The standard error of a ratio of two sums is computed by linearization, with the residuals of
   the groups as independent observations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from job.contracts.arrays import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """The group of each row, and the size of each group; statistics treat groups as independent.

    Attributes
    ----------
    codes
        Group id of each row, from 0, shape (n_rows,).
    sizes
        Number of rows in each group, shape (n_groups,).
    """

    codes: Array
    sizes: Array

    def take(self, index: Array) -> Clusters:
        """Return the `Clusters` of the rows at these positions, with groups renumbered from 0."""
        return make_clusters(self.codes[index])


def make_clusters(groups: Array) -> Clusters:
    """Return the `Clusters` of rows with any group ids; the ids are renumbered from 0."""
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return Clusters(codes=codes, sizes=sizes)


def share_covariance(codes: Array, shares: Array, clusters: Clusters) -> Array:
    """Return the covariance of the shares of bins, by the jackknife over groups.

    Leaving out a group of m rows, of which c are in a bin with share p, changes the share by
    (m p - c) / (n - m), with n rows in total.  Dividing by n instead would underestimate the
    influence of a large group.

    Parameters
    ----------
    codes
        Bin of each row, shape (n_rows,).
    shares
        Share of the rows in each bin, shape (n_bins,).

    Returns
    -------
    covariance
        Shape (n_bins, n_bins).
    """
    n, n_bins, sizes = len(codes), len(shares), clusters.sizes
    if len(sizes) < 2:  # nothing can be left out: use the covariance of a single row
        return np.asarray(np.diag(shares) - np.outer(shares, shares))
    weights = 1 / (n - sizes)
    row_weights = weights[clusters.codes]
    weighted_counts = sparse.csr_matrix(
        (row_weights, (clusters.codes, codes)), shape=(len(sizes), n_bins)
    )
    weighted_sizes = weights * sizes
    cross = np.outer(weighted_counts.T @ weighted_sizes, shares)
    mean_part = np.outer(shares, shares) * (weighted_sizes**2).sum()
    products = (weighted_counts.T @ weighted_counts).toarray() - cross - cross.T + mean_part
    return np.asarray(products * (len(sizes) - 1) / len(sizes))


def estimate_ratio(
    numerators: Array, denominators: Array, clusters: Clusters
) -> tuple[float, float]:
    """Return sum(numerators) / sum(denominators), and its standard error over groups.

    Parameters
    ----------
    numerators, denominators
        Values of each row, shape (n_rows,).
    """
    total = float(denominators.sum())
    if not total:
        return 0.0, 0.0
    ratio = float(numerators.sum()) / total
    residuals = np.bincount(clusters.codes, numerators - ratio * denominators)
    return ratio, float(np.sqrt((residuals**2).sum())) / total
