"""Confidence bounds of metrics: from resamples, from Jeffreys' interval, or from counts.

How it works
------------
1. A statistic is computed for all groups, for resamples of the groups, and for all groups except
   one (the jackknife; `job.stages.metrics.group_bootstrap`).
2. `bca_bounds` takes two quantiles of the resampled statistic, corrected for bias and for the
   skewness that the jackknife shows (BCa, Efron).  The fewer groups a metric depends on, the wider
   the bounds are.
3. Before that, the resamples are moved so that their mean is the metric of all groups.  A resample
   lacks about a third of the groups, and so it often lacks all rows that were predicted as a rare
   class; the precision of such a class is 0 in this resample.  Averages over many small classes are
   therefore lower in resamples than in the hold-out.  BCa would take the difference for a bias of
   the metric, and correct it in the wrong direction (docs/adr/0042).
4. If the statistic is equal in all resamples, `interval_or_count_bound` computes the width of the
   interval from the number of groups alone.
5. `simultaneous_bounds` returns bounds of several metrics that hold at the same time.
6. `jeffreys_bounds` needs no resamples: it uses only a share and its number of trials.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.stats import beta, norm
from scipy.stats import t as student

from job.contracts.arrays import Array
from job.contracts.reports.intervals import Interval
from job.stages.metrics.group_sums import GroupSums

MIN_GROUPS: Final = 5  # with fewer, resamples differ too little to give an interval


def bca_bounds(
    point: Array, resampled: Array, left_out: Array, group_sums: GroupSums, alpha: float
) -> Array:
    """Return lower and upper BCa bounds of each metric, shape (2, n_metrics).

    The true value is beyond each bound with probability `alpha`; the metric itself never is.  The
    method is bias-corrected and accelerated (Efron), with quantiles of Student's t instead of the
    normal distribution.  The degrees of freedom of t are twice the effective number of groups that
    the metric depends on (Satterthwaite).  So the bounds are wide if few groups determine the
    metric.

    Parameters
    ----------
    point
        Metrics of all groups, shape (n_metrics,).
    resampled
        Metrics of the resamples, shape (n_resamples, n_metrics).
    left_out
        Metrics of all groups except one, shape (n_distinct, n_metrics).  Groups with equal sums
        have equal metrics, so they share a row.
    group_sums
        The groups from which the metrics were computed.
    """
    resampled = _move_to(point, resampled)
    below = (resampled < point).mean(axis=0) + (resampled == point).mean(axis=0) / 2
    minimum = 1 / (2 * len(resampled))
    bias = norm.ppf(np.clip(below, minimum, 1 - minimum))
    acceleration, freedom = _acceleration(point, left_out, group_sums)
    ordered = np.sort(resampled, axis=0)
    bounds = np.empty((2, len(point)))
    for row, probability in enumerate((alpha, 1 - alpha)):
        shifted = bias + student.ppf(probability, freedom)
        scale = 1 - acceleration * shifted
        # NOTE: beyond its pole the correction exceeds the most extreme resample
        is_before_pole = scale > 0
        corrected = norm.cdf(bias + shifted / np.where(is_before_pole, scale, 1))
        bounds[row] = _quantiles(
            ordered, np.where(is_before_pole, corrected, float(probability > 0.5))
        )
    return np.stack([np.minimum(bounds[0], point), np.maximum(bounds[1], point)])


def _move_to(point: Array, resampled: Array) -> Array:
    """Return the resamples, moved so that the mean of each metric is `point`."""
    varies = resampled.max(axis=0, initial=-np.inf) > resampled.min(axis=0, initial=np.inf)
    shift = np.where(varies, point - resampled.mean(axis=0), 0.0)
    moved: Array = resampled + shift
    return moved


def _acceleration(point: Array, left_out: Array, group_sums: GroupSums) -> tuple[Array, Array]:
    """Return BCa's acceleration and the degrees of freedom for Student's t, each (n_metrics,)."""
    multiplicity = group_sums.multiplicity[:, None].astype(float)
    sizes = np.bincount(group_sums.strata, group_sums.multiplicity)[group_sums.strata][:, None]
    influence = (point - left_out) * (sizes - 1) / sizes
    powers = [np.sum(multiplicity * influence**power, axis=0) for power in (2, 3, 4)]
    has_influence = powers[0] > 0
    second, third, fourth = (np.where(has_influence, power, 1.0) for power in powers)
    acceleration = np.where(has_influence, third / second**1.5 / 6, 0.0)
    return acceleration, 2 * np.maximum(second**2 / fourth, 1.0)


def _quantiles(ordered: Array, probabilities: Array) -> Array:
    """Return a quantile of each sorted column, by interpolation, at the column's probability."""
    positions = probabilities * (len(ordered) - 1)
    low = np.floor(positions).astype(int)
    high = np.minimum(low + 1, len(ordered) - 1)
    columns = np.arange(ordered.shape[1])
    quantiles: Array = ordered[low, columns] + (positions - low) * (
        ordered[high, columns] - ordered[low, columns]
    )
    return quantiles


def simultaneous_bounds(point: Array, resampled: Array, alpha: float) -> Array:
    """Return lower and upper bounds that hold for all metrics at once, shape (2, n_metrics).

    With probability 1 - `alpha`, all true values are above their lower bounds.  With the same
    probability, all are below their upper bounds.  Each bound is c standard errors away from its
    metric.  For each resample, the metrics' deviations are divided by their standard errors, and
    the largest is taken; c is a quantile of these maxima (the max-T method).  A deviation is the
    distance from the mean of the resamples.  If a metric does not vary, its bounds equal its value.

    Parameters
    ----------
    point
        Metrics of all groups, shape (n_metrics,).
    resampled
        Metrics of the resamples, shape (n_resamples, n_metrics).
    """
    standard_errors = resampled.std(axis=0)
    varies = standard_errors > 0
    if not varies.any():
        return np.stack([point, point])
    moved = _move_to(point, resampled)
    deviations = (moved[:, varies] - point[varies]) / standard_errors[varies]
    low, high = (
        max(float(np.quantile((sign * deviations).max(axis=1), 1 - alpha)), 0.0) for sign in (1, -1)
    )
    return np.stack([point - low * standard_errors, point + high * standard_errors])


def jeffreys_bounds(value: Array, n_effective: Array, alpha: float) -> Array:
    """Return the bounds of Jeffreys' interval for shares, shape (2, n_metrics).

    The bounds are quantiles of a beta distribution.  Its parameters are the numbers of successes
    and failures, each plus 0.5 (Brown, Cai and DasGupta 2001).

    Parameters
    ----------
    value
        Shares, shape (n_metrics,).
    n_effective
        Number of independent trials behind each share, shape (n_metrics,).
    """
    successes, failures = value * n_effective, (1 - value) * n_effective
    low = np.where(value > 0, beta.ppf(alpha, successes + 0.5, failures + 0.5), 0.0)
    high = np.where(value < 1, beta.ppf(1 - alpha, successes + 0.5, failures + 0.5), 1.0)
    # near 0 and 1, the half success and half failure may move a bound beyond the share itself
    return np.stack([np.minimum(low, value), np.maximum(high, value)])


def interval_or_count_bound(
    value: float, low: float, high: float, *, n_groups: float, alpha: float, minimum: float = 0.0
) -> Interval:
    """Return the interval of a share or, with `minimum` = -1, of a difference of shares.

    The interval is (`low`, `high`), the bounds from resamples.  If all resamples have the same
    value, `low` equals `high`.  In this case, the interval extends 1 - alpha ** (1 / n) to each
    side, where n is the number of groups.  For alpha = 0.05, this is about 3 / n (the rule of
    three).  No bound is outside of the range from `minimum` to 1.
    """
    if low < high:
        low, high = max(low, min(minimum, value)), min(high, max(1.0, value))
        return Interval(value=float(value), lower=float(low), upper=float(high))
    radius = 1.0 - alpha ** (1 / n_groups) if n_groups else 1.0 - minimum
    lower, upper = max(value - radius, minimum), min(value + radius, 1.0)
    return Interval(value=float(value), lower=float(lower), upper=float(upper), is_by_count=True)
