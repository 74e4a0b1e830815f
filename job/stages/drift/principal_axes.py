"""Embeddings in a few numbers: their mean, their spread, and where most of it points."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy import sparse
from scipy.linalg import subspace_angles
from scipy.stats import chi2, norm
from sklearn.decomposition import PCA

from job.contracts.dataset import MatrixRows
from job.contracts.reports.profile import PrincipalAxes
from job.stages.drift.clusters import Clusters, number_clusters, ratio_error
from job.stages.drift.histograms import CONFIDENCE

Array = np.ndarray[Any, Any]
_MAX_ROWS: Final = 20_000
_AXES: Final = 5
_MIN_CLUSTERS: Final = 4 * _AXES  # halves have axes of their own, too
_MAX_DISTANCE: Final = 2.0  # median distances; what is farther counts as that far


class Means:
    """One embedding for each unit of a sample: the mean of its rows.

    So no axis is that of a text that stands in many rows.

    Parameters
    ----------
    embeddings
        Shape (n_rows, width).
    """

    def __init__(self, embeddings: MatrixRows, clusters: Clusters, random_state: int) -> None:
        index = np.arange(len(clusters.codes))
        self._random_state = random_state
        if len(index) > _MAX_ROWS:
            draw = np.random.default_rng(random_state)
            index = np.sort(draw.choice(index, _MAX_ROWS, replace=False))
        some = clusters.take(index)
        shares = 1 / some.sizes[some.codes]
        average = sparse.csr_matrix((shares, (some.codes, np.arange(len(index)))))
        means = average @ embeddings.take(index).read().astype(np.float64)
        self.center = means.mean(axis=0)
        self._apart = _clipped(means - self.center)

    @property
    def shape(self) -> tuple[int, int]:
        """Return units and width."""
        n_clusters, width = self._apart.shape
        return n_clusters, width

    def capture(self, axes: Array) -> tuple[float, float]:
        """Return the share of the variance around the mean along axes, and its standard error."""
        return _share_along(_squares_along(self._apart, axes), self._apart)

    def keep(self) -> PrincipalAxes | None:
        """Keep the mean and the first five principal axes; None of too few units or columns."""
        n_clusters, width = self.shape
        apart = self._apart
        spread = float(np.sqrt((apart**2).sum(axis=1).mean()))
        if n_clusters < _MIN_CLUSTERS or width <= _AXES or not 0 < spread < np.inf:
            return None
        axes, variances = self._axes(apart)
        is_first = (
            np.random.default_rng(self._random_state).permutation(n_clusters) * 2 < n_clusters
        )
        captured, error = self._captured(apart, is_first)
        return PrincipalAxes(
            n_units=n_clusters,
            mean=_rounded(self.center, spread),
            spread=spread,
            effective_dimensions=_dimensions(spread**2, variances),
            axes=[_rounded(axis, 1.0) for axis in axes],
            captured=round(captured, 6),
            standard_error=round(error, 6),
        )

    def _captured(self, apart: Array, is_first: Array) -> tuple[float, float]:
        """Hold each half against the axes of the other."""
        along = np.zeros(len(apart))
        for here in (is_first, ~is_first):
            along[here] = _squares_along(apart[here], self._axes(apart[~here])[0])
        return _share_along(along, apart)

    def _axes(self, apart: Array) -> tuple[Array, Array]:
        pca = PCA(_AXES, svd_solver="randomized", random_state=self._random_state).fit(apart)
        return pca.components_, pca.explained_variance_


def _clipped(apart: Array) -> Array:
    """Draw in what is far out, so that no axis is that of one unit."""
    lengths = np.sqrt((apart**2).sum(axis=1, keepdims=True))
    most = _MAX_DISTANCE * np.median(lengths)
    clipped: Array = apart * np.minimum(1.0, most / np.maximum(lengths, np.finfo(float).tiny))
    return clipped


def _squares_along(apart: Array, axes: Array) -> Array:
    squares: Array = ((apart @ axes.T) ** 2).sum(axis=1)
    return squares


def _share_along(along: Array, apart: Array) -> tuple[float, float]:
    return ratio_error(along, (apart**2).sum(axis=1), number_clusters(np.arange(len(apart))))


def _dimensions(trace: float, first: Array) -> float:
    """Return trace^2 / trace of the square; variances not kept count as the last one kept."""
    square = (first**2).sum() + first[-1] * max(trace - first.sum(), 0.0)
    return round(max(float(trace**2 / square), 1.0), 3) if square else 1.0


def _rounded(values: Array, scale: float) -> list[float]:
    """Round to four digits of the scale."""
    digits = 4 - int(np.floor(np.log10(scale)))
    return [round(value, digits) for value in values.tolist()]


def mean_shift(before: PrincipalAxes, after: Means) -> tuple[float, float]:
    """Return the distance of the means in spreads of the first, and what chance may make of it.

    The squared distance of means of n and m units is about (1/n + 1/m) of the squared spread times
    chi-squared / d, with d effective dimensions (Satterthwaite's approximation).
    """
    distance = float(np.linalg.norm(after.center - np.array(before.mean))) / before.spread
    d = before.effective_dimensions
    per_unit = 1 / before.n_units + 1 / after.shape[0]
    return distance, float(np.sqrt(per_unit * chi2.ppf(CONFIDENCE, d) / d))


def lost_variance(before: PrincipalAxes, after: Means) -> tuple[float, float, float]:
    """Return the share of the variance along the old axes that is lost, and its null quantile.

    Returns
    -------
    captured
        Share of the second's variance, around its own mean, along the axes.
    lost, by_chance
        1 less its ratio to that of the first; what exceeds the latter once in a thousand times.
    """
    captured, error = after.capture(np.array(before.axes))
    if not before.captured:
        return captured, 0.0, 0.0
    by_chance = norm.ppf(CONFIDENCE) * np.hypot(error, before.standard_error) / before.captured
    return captured, 1 - captured / before.captured, float(by_chance)


def principal_angles(before: PrincipalAxes, after: PrincipalAxes) -> tuple[float, ...]:
    """Return the angles between both sets of axes in degrees, ascending.

    Bjorck and Golub (1973), "Numerical methods for computing angles between linear subspaces".
    """
    angles = subspace_angles(np.array(before.axes).T, np.array(after.axes).T)[::-1]
    return tuple(np.degrees(angles).tolist())
