"""Shares of values and of bins, kept and counted again in a later table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import rel_entr
from scipy.stats import chi2

from job.contracts.reports.profile import Numbers, Values
from job.stages.drift.clusters import Clusters, share_covariance

Array = np.ndarray[Any, Any]
CONFIDENCE: Final = 0.999  # chance is told with this certainty
_N_ROWS_OF_CERTAIN_SHARES: Final = 1e6  # rows that shares of one bin are taken to be of


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of values or bins, and how sure they are.

    Attributes
    ----------
    shares
        Shape (n_bins,); the last is that of missing values.
    errors
        Standard errors, shape (n_bins,); kept for values alone.
    expected_index, degrees_of_freedom
        The stability index that drawing such units makes by itself: its mean, and its degrees of
        freedom as a scaled chi-squared.
    """

    shares: Array
    errors: Array
    expected_index: float
    degrees_of_freedom: float


def keep_values(cells: Array, clusters: Clusters, names: Sequence[str]) -> Values:
    """Keep the shares of these names; all others are one.

    Parameters
    ----------
    cells
        Shape (n_rows,), object (str or None).
    """
    found = _count(_code_values(cells, names), len(names) + 2, clusters)
    shares, errors = _rounded(found.shares), _rounded(found.errors)
    return Values(
        shares=dict(zip(names, shares, strict=False)),
        standard_errors=dict(zip(names, errors, strict=False)),
        other=shares[-2],
        missing=shares[-1],
        expected_index=round(found.expected_index, 9),
        degrees_of_freedom=round(found.degrees_of_freedom, 6),
    )


def keep_numbers(
    cells: Array, clusters: Clusters, edges: Sequence[float], ties: set[float]
) -> Numbers:
    """Keep the shares of the bins between these edges.

    Parameters
    ----------
    cells
        Shape (n_rows,), float32, NaN for none.
    """
    codes, n_bins = _code_numbers(cells, edges, ties)
    found = _count(codes, n_bins, clusters)
    shares = _rounded(found.shares)
    return Numbers(
        edges=list(edges),
        ties=sorted(ties),
        shares=shares[:-1],
        missing=shares[-1],
        expected_index=round(found.expected_index, 9),
        degrees_of_freedom=round(found.degrees_of_freedom, 6),
    )


def read_shares(kept: Values | Numbers) -> Shares:
    """Return what was kept, in the order in which it is counted."""
    if isinstance(kept, Numbers):
        shares, errors = [*kept.shares, kept.missing], []
    else:
        shares = [*kept.shares.values(), kept.other, kept.missing]
        errors = [*(kept.standard_errors.get(name, 0.0) for name in kept.shares), 0.0, 0.0]
    return Shares(
        shares=np.array(shares),
        errors=np.array(errors),
        expected_index=kept.expected_index,
        degrees_of_freedom=kept.degrees_of_freedom,
    )


def count_again(kept: Values | Numbers, cells: Array, clusters: Clusters) -> Shares:
    """Count the same values or bins in another table."""
    if isinstance(kept, Numbers):
        return _count(*_code_numbers(cells, kept.edges, set(kept.ties)), clusters)
    names = list(kept.shares)
    return _count(_code_values(cells, names), len(names) + 2, clusters)


def _code_values(cells: Array, names: Sequence[str]) -> Array:
    n, numbers = len(names), {name: number for number, name in enumerate(names)}
    codes, found = pd.factorize(cells)
    order = np.array([*(numbers.get(name, n) for name in found), n + 1])  # -1 is no value
    return np.asarray(order[codes])


def _code_numbers(cells: Array, edges: Sequence[float], ties: set[float]) -> tuple[Array, int]:
    """Return the bin of each number, and how many there are; missing ones are the last."""
    ends = np.asarray(edges, np.float32)
    is_tie = np.array([edge in ties for edge in edges] + [False])
    first = np.arange(len(ends) + 1) + np.concatenate([[0], np.cumsum(is_tie[:-1])]).astype(int)
    place = np.searchsorted(ends, cells, side="left")
    place[np.isnan(cells)] = len(ends)
    is_equal = is_tie[place] & (np.append(ends, np.float32(np.nan))[place] == cells)
    n_bins = int(first[-1]) + 2
    return np.where(np.isnan(cells), n_bins - 1, first[place] + is_equal), n_bins


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
    """Return the population stability index, and what it exceeds by chance once in a thousand.

    Sum of (a - b) ln(a / b); half a row is added to each bin, so that none is empty.  By itself it
    is about the sum of (a - b)^2 / b (Yurdakul and Naranjo 2020, "Statistical properties of the
    population stability index"), which follows a scaled chi-squared where rows hang together (Rao
    and Scott 1981, second order).
    """
    is_used = (before.shares + after.shares) > 0
    if is_used.sum() < 2:
        return 0.0, 0.0
    p, q = (_smoothed(some, is_used) for some in (before, after))
    expected = before.expected_index + after.expected_index
    squares = sum(_root_of_squares(some) for some in (before, after)) ** 2
    by_chance = 0.0
    if squares:
        by_chance = squares / expected * float(chi2.ppf(CONFIDENCE, expected**2 / squares))
    return float(((q - p) * np.log(q / p)).sum()), float(by_chance)


def _root_of_squares(some: Shares) -> float:
    degrees = some.degrees_of_freedom
    return some.expected_index / np.sqrt(degrees) if degrees else 0.0


def _smoothed(some: Shares, is_used: Array) -> Array:
    """Add half a row to each bin, of as many rows as would be as sure by themselves."""
    shares = some.shares[is_used]
    n_free = int((some.shares > 0).sum()) - 1
    n_rows = (
        n_free / some.expected_index
        if n_free and some.expected_index
        else _N_ROWS_OF_CERTAIN_SHARES
    )
    smoothed: Array = (shares * n_rows + 0.5) / (n_rows + 0.5 * len(shares))
    return smoothed


def shannon_distance(before: Shares, after: Shares) -> float:
    """Return the Jensen-Shannon distance: the root of the divergence in bits, 0 to 1."""
    middle = (before.shares + after.shares) / 2
    both = (rel_entr(some.shares, middle).sum() for some in (before, after))
    return float(np.sqrt(max(sum(both) / (2 * np.log(2)), 0.0)))
