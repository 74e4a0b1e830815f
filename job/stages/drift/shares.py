"""Shares of values and of bins, kept and counted again in a later table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import rel_entr
from scipy.stats import chi2

from job.contracts.profile import Numbers, Values
from job.stages.slicing import MISSING, OTHER

Array = np.ndarray[Any, Any]
SURE: Final = 0.999  # chance is told with this certainty
_DECILES: Final = np.arange(1, 10) / 10
_DIGITS: Final = 3  # of an edge: no number of a row stands in a profile
_LEAST: Final = 100  # known numbers, and twenty units, that deciles are taken of
_LEAST_UNITS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of values or bins, shape (n_bins,), and the rows that would tell as much."""

    shares: Array
    effective_rows: float


def keep_values(cells: Array, units: Array, names: Sequence[str]) -> Values:
    """Keep the shares of these names; all others are one.

    Parameters
    ----------
    cells
        Shape (n,), object (str or None).
    units
        Number of the group or family of each row, shape (n,).
    """
    found = _count(_code_values(cells, names), len(names) + 2, units)
    shown = zip((*names, OTHER, MISSING), found.shares.tolist(), strict=True)
    kept = {name: round(share, 9) for name, share in shown if share or name in names}
    return Values(shares=kept, effective_rows=round(found.effective_rows, 3))


def keep_numbers(cells: Array, units: Array) -> Numbers:
    """Keep the shares of the bins between the deciles, which are rounded to three digits.

    Parameters
    ----------
    cells
        Shape (n,), NaN for none.
    """
    known = np.isfinite(cells)
    edges: list[float] = []
    if known.sum() >= _LEAST and len(np.unique(units[known])) >= _LEAST_UNITS:
        found = np.quantile(cells[known].astype(float), _DECILES)
        edges = sorted({float(f"{edge:.{_DIGITS}g}") for edge in found.tolist()})
    counts = _count(_code_numbers(cells, edges), len(edges) + 2, units)
    return Numbers(
        edges=edges,
        shares=[round(share, 9) for share in counts.shares.tolist()],
        effective_rows=round(counts.effective_rows, 3),
    )


def list_names(kept: Values) -> list[str]:
    """Give the values that are named."""
    return [name for name in kept.shares if name not in (OTHER, MISSING)]


def read_shares(kept: Values | Numbers) -> Shares:
    """Give what was kept, in the order in which it is counted; missing ones are the last."""
    if isinstance(kept, Numbers):
        return Shares(shares=np.array(kept.shares), effective_rows=kept.effective_rows)
    names = (*list_names(kept), OTHER, MISSING)
    shares = np.array([kept.shares.get(name, 0.0) for name in names])
    return Shares(shares=shares, effective_rows=kept.effective_rows)


def count_again(kept: Values | Numbers, cells: Array, units: Array) -> Shares:
    """Count the same values or bins in another table."""
    if isinstance(kept, Numbers):
        return _count(_code_numbers(cells, kept.edges), len(kept.edges) + 2, units)
    names = list_names(kept)
    return _count(_code_values(cells, names), len(names) + 2, units)


def _code_values(cells: Array, names: Sequence[str]) -> Array:
    n, numbers = len(names), {name: number for number, name in enumerate(names)}
    codes, found = pd.factorize(cells)
    order = np.array([*(numbers.get(name, n) for name in found), n + 1])  # -1 is no value
    return np.asarray(order[codes])


def _code_numbers(cells: Array, edges: Sequence[float]) -> Array:
    bins = np.searchsorted(np.asarray(edges, float), cells.astype(float), side="left")
    return np.where(np.isnan(cells), len(edges) + 1, bins)


def _count(codes: Array, n_bins: int, units: Array) -> Shares:
    shares = np.bincount(codes, minlength=n_bins) / max(len(codes), 1)
    return Shares(shares=shares, effective_rows=_effective_rows(codes, shares, units))


def _effective_rows(codes: Array, shares: Array, units: Array) -> float:
    """Divide the rows by the design effect of the shares.

    It is the mean over the bins of variance over units / variance over rows, as in Rao and Scott
    (1981), "The analysis of categorical data from complex sample surveys"; the variance over units
    is that of the jackknife, so that a large unit does not hide what it does.
    """
    n, n_bins = len(codes), len(shares)
    members, sizes = np.unique(units, return_inverse=True, return_counts=True)[1:]
    if len(sizes) < 2:
        return float(len(sizes))
    pairs, counts = np.unique(members.astype(np.int64) * n_bins + codes, return_counts=True)
    unit, bin_ = pairs // n_bins, pairs % n_bins
    weight = 1 / (1 - sizes / n) ** 2
    # sum over units of weight * (count - share * size)^2, of which most counts are none
    squares = weight[unit] * counts * (counts - 2.0 * shares[bin_] * sizes[unit])
    variance = np.bincount(bin_, squares, minlength=n_bins)
    variance += shares**2 * (weight * sizes.astype(float) ** 2).sum()
    is_used = (shares > 0) & (shares < 1)
    if not is_used.any():
        return float(n)
    by_rows = n * shares[is_used] * (1 - shares[is_used])
    effect = np.average(variance[is_used] / by_rows, weights=1 - shares[is_used])
    return float(n / max(effect, 1.0))


def stability_index(before: Shares, after: Shares) -> tuple[float, float]:
    """Give the population stability index, and what it exceeds by chance once in a thousand.

    Sum of (a - b) ln(a / b); half a row is added to each bin, so that none is empty.  Of tables
    with n and m rows it is about (1/n + 1/m) chi-squared with one degree less than there are bins
    (Yurdakul and Naranjo 2020, "Statistical properties of the population stability index").
    """
    is_used = (before.shares + after.shares) > 0
    n_bins = int(is_used.sum())
    n, m = before.effective_rows, after.effective_rows
    if n_bins < 2 or not n or not m:
        return 0.0, 0.0
    p, q = _smoothed(before.shares[is_used], n), _smoothed(after.shares[is_used], m)
    by_chance = chi2.ppf(SURE, n_bins - 1) * (1 / n + 1 / m)
    return float(((q - p) * np.log(q / p)).sum()), float(by_chance)


def _smoothed(shares: Array, n_rows: float) -> Array:
    smoothed: Array = (shares * n_rows + 0.5) / (shares.sum() * n_rows + 0.5 * len(shares))
    return smoothed


def shannon_distance(before: Shares, after: Shares) -> float:
    """Give the Jensen-Shannon distance: the root of the divergence in bits, 0 to 1."""
    middle = (before.shares + after.shares) / 2
    both = (rel_entr(some.shares, middle).sum() for some in (before, after))
    return float(np.sqrt(max(sum(both) / (2 * np.log(2)), 0.0)))
