"""Choose how sure a model must be to answer, and measure it on rows that did not choose."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy.stats import beta, norm
from scipy.stats import t as student

from job.contracts.abstention import AbstentionReport, Threshold
from job.contracts.gate_specs import DecisionSpec, EvaluationSpec
from job.contracts.judgement import Interval
from job.stages.bounds import bootstrap, bounded
from job.stages.predictions import Predictions
from job.stages.resampling import sum_units

Array = np.ndarray[Any, Any]
_N_TRIED: Final = 101
_DIGITS: Final = 6


def choose_threshold(
    found: Predictions, groups: Array, spec: DecisionSpec, evaluation: EvaluationSpec
) -> Threshold:
    """Give the least threshold at which the answers' precision is shown to reach the target.

    Shown means by its one-sided lower bound of `evaluation.confidence`: the best point value of
    many thresholds would promise too much.

    Parameters
    ----------
    found
        Of rows that the model which speaks of them was not fitted to.
    spec
        Has a target.
    """
    assert spec.target_precision is not None
    sure, is_right = found.proba.max(axis=1), found.y_pred == found.y_true
    _, unit_of_row = np.unique(groups, return_inverse=True)
    tried = np.quantile(sure, np.linspace(0, 1, _N_TRIED))[:-1]
    tried = np.unique([0.0, *np.floor(tried[1:] * 10**_DIGITS) / 10**_DIGITS])
    bounds = _lower_bounds(sure, is_right, unit_of_row, tried, 1 - evaluation.confidence)
    shown = tried[bounds >= spec.target_precision]
    return Threshold(
        target_precision=spec.target_precision,
        value=float(shown[0]) if len(shown) else None,
        n_rows=len(sure),
        n_groups=int(unit_of_row.max(initial=-1)) + 1,
    )


def _lower_bounds(sure: Array, is_right: Array, units: Array, tried: Array, tail: float) -> Array:
    """Give the lower bound of the answers' precision at each threshold.

    Rows hang together in units.  The bound is Clopper and Pearson's, of as many rows as would vary
    so much if none hung together (Korn and Graubard 1998), fewer where the variance hangs on few
    units; where nothing varies, of as many as there are units.
    """
    found = np.array([_share_and_size(is_right[sure >= t], units[sure >= t]) for t in tried])
    share, n, freedom = found.T
    n = n * (norm.ppf(tail) / student.ppf(tail, freedom)) ** 2
    bounds: Array = beta.ppf(tail, share * n, (1 - share) * n + 1)
    return np.where(share > 0, bounds, 0.0)


def _share_and_size(is_right: Array, units: Array) -> tuple[float, float, float]:
    """Give the share that is right, as how many rows it counts, and its degrees of freedom."""
    sizes, share = np.bincount(units), float(is_right.mean())
    squares = np.square((np.bincount(units, is_right) - share * sizes) / len(is_right))
    variance = float(squares.sum())
    if not variance:
        return share, float((sizes > 0).sum()), np.inf
    n = min(share * (1 - share) / variance, len(is_right))
    return share, n, 2 * variance**2 / float(np.square(squares).sum())


def measure_abstention(
    found: Predictions,
    groups: Array,
    threshold: Threshold,
    spec: EvaluationSpec,
    random_state: int,
) -> AbstentionReport:
    """Give coverage and precision of a threshold on the hold-out, by a bootstrap over groups."""
    if threshold.value is None:
        return AbstentionReport(threshold=threshold, n_answered=0, coverage=None, precision=None)
    is_answered = found.proba.max(axis=1) >= threshold.value
    is_right = is_answered & (found.y_pred == found.y_true)
    values = np.stack([np.ones(len(groups)), is_answered, is_right], axis=1)
    units, rng = sum_units(groups, found.y_true, values), np.random.default_rng(random_state)
    tail = (1 - spec.confidence) / 2
    point, ends = bootstrap(units, _shares, spec.resamples, rng, tail)
    n_groups = (units.n_groups, len(np.unique(groups[is_answered])))
    coverage, precision = (
        bounded(value, *ends_of, n_groups=n, tail=tail)
        for value, ends_of, n in zip(point, ends.T, n_groups, strict=True)
    )
    return AbstentionReport(
        threshold=threshold,
        n_answered=int(is_answered.sum()),
        coverage=_within(coverage),
        precision=_within(precision) if is_answered.any() else None,
    )


def _shares(sums: Array) -> Array:
    """Give coverage and precision of sums of rows, answers and right answers."""
    n_rows, n_answered, n_right = sums.T
    precision = np.divide(n_right, n_answered, out=np.zeros(len(sums)), where=n_answered > 0)
    return np.stack([n_answered / n_rows, precision], axis=1)


def _within(found: Interval) -> Interval:
    """Keep the ends within what a share can be; weights of strata may round past it."""
    ends = (min(max(end, 0.0), 1.0) for end in (found.lower, found.upper))
    lower, upper = ends
    return Interval(value=found.value, lower=lower, upper=upper, is_by_count=found.is_by_count)
