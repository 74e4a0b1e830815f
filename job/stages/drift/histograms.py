"""Histograms of a column: the shares of its values or bins, and distances between histograms.

How it works
------------
1. A profile stores the shares of a column's named values, or of the bins between its deciles.
2. A later table is counted with the same values or bins.
3. The population stability index and the Jensen-Shannon distance compare the two histograms.
4. Without drift, tables differ only in which groups were sampled.  For this case, the distribution
   of the index is derived from the covariance of the shares over groups.  Its 99.9% quantile is the
   null quantile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import rel_entr
from scipy.stats import chi2

from job.contracts.arrays import Array
from job.contracts.reports.profile import Numbers, Values
from job.stages.drift.clusters import Clusters, share_covariance

CONFIDENCE: Final = 0.999  # level of the null quantiles
_N_ROWS_WITHOUT_ERROR: Final = 1e6  # assumed sample size of shares without sampling error


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """A histogram of one column: shares of values or bins, and their sampling error.

    Attributes
    ----------
    shares
        Shape (n_bins,); the last value is the share of missing values.
    errors
        Standard errors, shape (n_bins,); empty for the bins of a stored profile.
    expected_index, degrees_of_freedom
        Expected population stability index without drift, and the degrees of freedom of the scaled
        chi-squared distribution that the index then follows.
    """

    shares: Array
    errors: Array
    expected_index: float
    degrees_of_freedom: float


def profile_values(cells: Array, clusters: Clusters, names: Sequence[str]) -> Values:
    """Compute the share of each value in `names`; all other values are counted in one bin.

    Parameters
    ----------
    cells
        Cells of the column, shape (n_rows,), object (str or None).
    """
    histogram = _count(_code_values(cells, names), len(names) + 2, clusters)
    shares, errors = _rounded(histogram.shares), _rounded(histogram.errors)
    return Values(
        shares=dict(zip(names, shares, strict=False)),
        standard_errors=dict(zip(names, errors, strict=False)),
        other=shares[-2],
        missing=shares[-1],
        expected_index=round(histogram.expected_index, 9),
        degrees_of_freedom=round(histogram.degrees_of_freedom, 6),
    )


def profile_numbers(
    cells: Array, clusters: Clusters, edges: Sequence[float], ties: set[float]
) -> Numbers:
    """Compute the shares of the bins between these edges.

    Parameters
    ----------
    cells
        Cells of the column, shape (n_rows,), float32, NaN for missing values.
    ties
        Edges that many cells are exactly equal to.  Each gets a bin of its own.
    """
    codes, n_bins = _code_numbers(cells, edges, ties)
    histogram = _count(codes, n_bins, clusters)
    shares = _rounded(histogram.shares)
    return Numbers(
        edges=list(edges),
        ties=sorted(ties),
        shares=shares[:-1],
        missing=shares[-1],
        expected_index=round(histogram.expected_index, 9),
        degrees_of_freedom=round(histogram.degrees_of_freedom, 6),
    )


def read_shares(part: Values | Numbers) -> Shares:
    """Return the shares that a profile stores for a column, in the order of `count_shares`."""
    if isinstance(part, Numbers):
        shares, errors = [*part.shares, part.missing], []
    else:
        shares = [*part.shares.values(), part.other, part.missing]
        errors = [*(part.standard_errors.get(name, 0.0) for name in part.shares), 0.0, 0.0]
    return Shares(
        shares=np.array(shares),
        errors=np.array(errors),
        expected_index=part.expected_index,
        degrees_of_freedom=part.degrees_of_freedom,
    )


def count_shares(part: Values | Numbers, cells: Array, clusters: Clusters) -> Shares:
    """Count another table's `cells` in the values or bins of `part`, and return the shares."""
    if isinstance(part, Numbers):
        return _count(*_code_numbers(cells, part.edges, set(part.ties)), clusters)
    names = list(part.shares)
    return _count(_code_values(cells, names), len(names) + 2, clusters)


def _code_values(cells: Array, names: Sequence[str]) -> Array:
    """Return the bin of each cell: named values first, then all other values, then missing ones."""
    n, numbers = len(names), {name: number for number, name in enumerate(names)}
    codes, values = pd.factorize(cells)
    bins = np.array([*(numbers.get(name, n) for name in values), n + 1])  # code -1 is missing
    return np.asarray(bins[codes])


def _code_numbers(cells: Array, edges: Sequence[float], ties: set[float]) -> tuple[Array, int]:
    """Return each number's bin, and the number of bins; the last bin is for missing values."""
    upper_ends = np.asarray(edges, np.float32)
    is_tie = np.array([edge in ties for edge in edges] + [False])
    n_ties_before = np.concatenate([[0], np.cumsum(is_tie[:-1])]).astype(int)
    first_bins = np.arange(len(upper_ends) + 1) + n_ties_before
    position = np.searchsorted(upper_ends, cells, side="left")
    position[np.isnan(cells)] = len(upper_ends)
    is_equal = is_tie[position] & (np.append(upper_ends, np.float32(np.nan))[position] == cells)
    n_bins = int(first_bins[-1]) + 2
    return np.where(np.isnan(cells), n_bins - 1, first_bins[position] + is_equal), n_bins


def _count(codes: Array, n_bins: int, clusters: Clusters) -> Shares:
    shares = np.bincount(codes, minlength=n_bins) / max(len(codes), 1)
    covariance = share_covariance(codes, shares, clusters)
    is_used = shares > 0
    roots = np.sqrt(shares[is_used])
    scaled = covariance[np.ix_(is_used, is_used)] / np.outer(roots, roots)
    trace, squares = float(np.trace(scaled)), float((scaled**2).sum())
    return Shares(
        shares=shares,
        errors=np.sqrt(np.maximum(np.diag(covariance), 0)),
        expected_index=max(trace, 0.0),
        degrees_of_freedom=trace**2 / squares if squares > 0 else 0.0,
    )


def _rounded(values: Array) -> list[float]:
    return [round(value, 9) for value in values.tolist()]


def stability_index(before: Shares, after: Shares) -> tuple[float, float]:
    """Return the population stability index, and its 99.9% quantile without drift.

    The index is the sum over bins of (a - b) ln(a / b), where a and b are the shares of the bin in
    the new and the old table.  Half a row is added to each bin, so that no bin is empty.  Without
    drift the index is about the sum of (a - b)^2 / b (Yurdakul and Naranjo 2020,
    "Statistical properties of the population stability index").  If rows are dependent, this sum
    follows a scaled chi-squared distribution (Rao and Scott 1981, second-order correction).
    """
    is_used = (before.shares + after.shares) > 0
    if is_used.sum() < 2:
        return 0.0, 0.0
    p, q = (_smoothed(histogram, is_used) for histogram in (before, after))
    expected = before.expected_index + after.expected_index
    squares = sum(_covariance_norm(histogram) for histogram in (before, after)) ** 2
    null_quantile = 0.0
    if squares:
        null_quantile = squares / expected * float(chi2.ppf(CONFIDENCE, expected**2 / squares))
    return float(((q - p) * np.log(q / p)).sum()), float(null_quantile)


def _covariance_norm(histogram: Shares) -> float:
    """Return the Frobenius norm of the covariance matrix of the bins' scaled shares.

    Scaling divides a share's error by the share's square root.  The norm is computed from the trace
    of the matrix (the expected index) and the degrees of freedom.
    """
    degrees = histogram.degrees_of_freedom
    return histogram.expected_index / np.sqrt(degrees) if degrees else 0.0


def _smoothed(histogram: Shares, is_used: Array) -> Array:
    """Return the shares after half a row is added to each bin, so that no share is 0.

    The number of rows is the effective sample size: the number of independent rows that would have
    the same expected index.
    """
    shares = histogram.shares[is_used]
    n_free = int((histogram.shares > 0).sum()) - 1
    n_rows = (
        n_free / histogram.expected_index
        if n_free and histogram.expected_index
        else _N_ROWS_WITHOUT_ERROR
    )
    smoothed: Array = (shares * n_rows + 0.5) / (n_rows + 0.5 * len(shares))
    return smoothed


def jensen_shannon_distance(before: Shares, after: Shares) -> float:
    """Return the Jensen-Shannon distance, 0 to 1: the square root of the divergence in bits."""
    middle = (before.shares + after.shares) / 2
    divergences = (rel_entr(histogram.shares, middle).sum() for histogram in (before, after))
    return float(np.sqrt(max(sum(divergences) / (2 * np.log(2)), 0.0)))
