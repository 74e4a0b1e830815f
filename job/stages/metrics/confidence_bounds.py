"""The ends of an interval, out of resamples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from scipy.stats import beta, norm
from scipy.stats import t as student

from job.contracts.reports.intervals import Interval
from job.stages.metrics.group_bootstrap import GroupSums, leave_one_out, resample

Array = np.ndarray[Any, Any]
MIN_GROUPS: Final = 5  # of fewer, resamples say too little


def bootstrap(
    group_sums: GroupSums,
    measure: Callable[[Array], Array],
    n_resamples: int,
    rng: np.random.Generator,
    tail: float,
) -> tuple[Array, Array]:
    """Measure all groups, and give the ends of each metric as `bca_bounds` does."""
    point = measure(group_sums.total)[0]
    resampled = resample(group_sums, measure, n_resamples, rng)
    return point, bca_bounds(point, resampled, leave_one_out(group_sums, measure), group_sums, tail)


def max_t_critical_value(deviations: Array, alpha: float) -> float:
    """Return how far the furthest metric of a resample lies out, but in a share alpha (max T).

    Parameters
    ----------
    deviations
        In standard errors, toward the side that is looked at, shape (n_resamples, n_metrics).
    """
    return float(np.quantile(deviations.max(axis=1), 1 - alpha))


def bca_bounds(
    point: Array, resampled: Array, left_out: Array, group_sums: GroupSums, tail: float
) -> Array:
    """Return lower and upper ends, shape (2, n_metrics), each missed with the probability `tail`.

    Bias-corrected and accelerated (Efron), with quantiles of Student's t in place of the normal's:
    its degrees of freedom are twice the number of groups that the metric hangs on (Satterthwaite's,
    of a sum of squares), so that a score that few groups spoil has wide ends.

    Parameters
    ----------
    point
        Metrics of the whole, shape (n_metrics,).
    resampled, left_out
        Metrics of resamples, and those without one group of each unit.
    """
    below = (resampled < point).mean(axis=0) + (resampled == point).mean(axis=0) / 2
    least = 1 / (2 * len(resampled))
    bias = norm.ppf(np.clip(below, least, 1 - least))
    acceleration, freedom = _influence(point, left_out, group_sums)
    order = np.sort(resampled, axis=0)
    bounds = np.empty((2, len(point)))
    for row, share in enumerate((tail, 1 - tail)):
        shifted = bias + student.ppf(share, freedom)
        scale = 1 - acceleration * shifted
        # NOTE: past its pole the correction says that no resample lies far enough out
        is_sane = scale > 0
        where = norm.cdf(bias + shifted / np.where(is_sane, scale, 1))
        bounds[row] = _quantiles(order, np.where(is_sane, where, float(share > 0.5)))
    return bounds


def _influence(point: Array, left_out: Array, group_sums: GroupSums) -> tuple[Array, Array]:
    """Return acceleration, and degrees of freedom: 2 where a metric hangs on one group."""
    multiplicity = group_sums.multiplicity[:, None].astype(float)
    sizes = np.bincount(group_sums.strata, group_sums.multiplicity)[group_sums.strata][:, None]
    influence = (point - left_out) * (sizes - 1) / sizes
    powers = [np.sum(multiplicity * influence**power, axis=0) for power in (2, 3, 4)]
    has_any = powers[0] > 0
    second, third, fourth = (np.where(has_any, power, 1.0) for power in powers)
    acceleration = np.where(has_any, third / second**1.5 / 6, 0.0)
    return acceleration, 2 * np.maximum(second**2 / fourth, 1.0)


def _quantiles(order: Array, shares: Array) -> Array:
    """Return one quantile of each sorted column, between its neighbors."""
    places = shares * (len(order) - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, len(order) - 1)
    columns = np.arange(order.shape[1])
    found: Array = order[low, columns] + (places - low) * (
        order[high, columns] - order[low, columns]
    )
    return found


def share_ends(value: Array, n_effective: Array, tail: float) -> Array:
    """Return lower and upper ends of shares, shape (2, n_metrics): Jeffreys' interval.

    Quantiles of a beta distribution with half a success and half a failure more than were seen
    (Brown, Cai and DasGupta 2001).

    Parameters
    ----------
    value
        Shares, shape (n_metrics,).
    n_effective
        Independent trials that each share counts as, shape (n_metrics,).
    """
    right, wrong = value * n_effective, (1 - value) * n_effective
    low = np.where(value > 0, beta.ppf(tail, right + 0.5, wrong + 0.5), 0.0)
    high = np.where(value < 1, beta.ppf(1 - tail, right + 0.5, wrong + 0.5), 1.0)
    # near 0 and 1 the half success more may put an end past the share itself
    return np.stack([np.minimum(low, value), np.maximum(high, value)])


def interval_or_count_bound(
    value: float, low: float, high: float, *, n_groups: float, tail: float, least: float = 0.0
) -> Interval:
    """Make the interval of a share or, with `least` -1, of a difference of shares.

    Where no resample differs from the whole they say nothing: what shows in none of n groups may
    still befall 1 - tail ** (1 / n) of them (3 / n, about, for a tail of 0.05).
    """
    if low < high:
        return Interval(value=float(value), lower=float(low), upper=float(high))
    radius = 1.0 - tail ** (1 / n_groups) if n_groups else 1.0 - least
    lower, upper = max(value - radius, least), min(value + radius, 1.0)
    return Interval(value=float(value), lower=float(lower), upper=float(upper), is_by_count=True)
