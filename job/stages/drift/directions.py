"""Embeddings in a few numbers: their mean, their spread, and where most of it points."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy.linalg import subspace_angles
from scipy.stats import chi2
from sklearn.decomposition import PCA

from job.contracts.dataset import MatrixRows
from job.contracts.profile import Directions
from job.stages.drift.shares import SURE

Array = np.ndarray[Any, Any]
_MOST_ROWS: Final = 20_000
_AXES: Final = 5
_LEAST_ROWS: Final = 4 * _AXES  # halves have axes of their own, too


def keep_directions(embeddings: MatrixRows, units: Array, random_state: int) -> Directions | None:
    """Keep the mean and the first five principal axes; None of too few rows or columns.

    Parameters
    ----------
    embeddings
        Shape (n, width).
    units
        Number of what each row is one of, shape (n,).
    """
    index = np.arange(len(units))
    draw = np.random.default_rng(random_state)
    if len(index) > _MOST_ROWS:
        index = np.sort(draw.choice(index, _MOST_ROWS, replace=False))
    names, members = np.unique(units[index], return_inverse=True)
    if min(len(index), len(names)) < _LEAST_ROWS or embeddings.shape[1] <= _AXES:
        return None
    found = embeddings.take(index).read()
    mean = found.mean(axis=0, dtype=np.float64)
    variance = float(found.var(axis=0, dtype=np.float64).sum())
    axes, variances = _axes(found, random_state)
    is_first = draw.permutation(len(names))[members] * 2 < len(names)
    halves = [_axes(found[side], random_state)[0] for side in (is_first, ~is_first)]
    return Directions(
        n_rows=len(index),
        mean=_rounded(mean),
        mean_error=round(_mean_error(found - mean, members), 6),
        spread=round(variance**0.5, 6),
        effective_dimensions=round(_dimensions(variance, variances), 3),
        axes=[_rounded(axis) for axis in axes],
        distance_by_chance=round(axes_distance(*halves)[0], 6),
    )


def _axes(found: Array, random_state: int) -> tuple[Array, Array]:
    pca = PCA(_AXES, svd_solver="randomized", random_state=random_state).fit(found)
    return pca.components_, pca.explained_variance_


def _dimensions(trace: float, first: Array) -> float:
    """Give trace^2 / trace of the square, or less: variances beyond the first count as the last."""
    known = first.astype(float)
    square = (known**2).sum() + known[-1] * max(trace - known.sum(), 0.0)
    return max(float(trace**2 / square), 1.0) if square else 1.0


def _rounded(values: Array) -> list[float]:
    return [round(value, 6) for value in values.tolist()]


def _mean_error(apart: Array, members: Array) -> float:
    """Give the root of the trace of the mean's covariance, by the jackknife over units."""
    order = np.argsort(members, kind="stable")
    starts = np.flatnonzero(np.diff(members[order], prepend=-1))
    sums = np.add.reduceat(apart[order], starts, axis=0)
    rest = len(apart) - np.bincount(members)
    return float(np.sqrt(((sums / rest[:, None]) ** 2).sum()))


def mean_shift(before: Directions, after: Directions) -> tuple[float, float]:
    """Give the distance of the means in spreads of the first, and what chance may make of it.

    The squared distance is about chi-squared / d times the traces of the covariances of both means,
    with d effective dimensions (Satterthwaite's approximation).
    """
    if not before.spread:
        return 0.0, 0.0
    distance = float(np.linalg.norm(np.subtract(after.mean, before.mean)))
    d = before.effective_dimensions
    error = np.hypot(before.mean_error, after.mean_error) * np.sqrt(chi2.ppf(SURE, d) / d)
    return distance / before.spread, float(error) / before.spread


def axes_distance(before: Array, after: Array) -> tuple[float, tuple[float, ...]]:
    """Give the mean squared sine of the principal angles, and the angles in degrees, ascending.

    Bjorck and Golub (1973), "Numerical methods for computing angles between linear subspaces".
    """
    angles = subspace_angles(np.asarray(before, float).T, np.asarray(after, float).T)[::-1]
    return float((np.sin(angles) ** 2).mean()), tuple(np.degrees(angles).tolist())
