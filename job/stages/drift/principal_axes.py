"""Summarize embeddings in a few numbers: mean, RMS distance from the mean, and principal axes.

How it works
------------
1. Average the embeddings of each group in a sample of rows, so that repeated texts count once.
2. Shorten unusually long deviations from the mean, then fit the first five principal axes by PCA.
3. Estimate the explained variance ratio by cross-fitting: project each half of the groups on the
   axes fitted to the other half.
4. Compare a later table with the old one by the distance of the means (in units of the old RMS
   distance) and by the explained variance ratio along the old axes.  Each measure has a null
   quantile: its 99.9% quantile without drift.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from scipy.stats import chi2, norm
from sklearn.decomposition import PCA

from job.contracts.arrays import Array
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.profile import PrincipalAxes
from job.stages.drift.clusters import Clusters, estimate_ratio, make_clusters
from job.stages.drift.histograms import CONFIDENCE

_MAX_ROWS: Final = 20_000
_N_AXES: Final = 5
_MIN_GROUPS: Final = 4 * _N_AXES  # a PCA is fitted to each half of the groups
_MAX_DISTANCE: Final = 2.0  # in median distances; longer deviations are shortened to this length


class GroupMeans:
    """The mean embedding of each group, in a sample of the rows.

    Each group counts once, so that a text that occurs in many rows does not determine an axis.

    Parameters
    ----------
    embeddings
        Shape (n_rows, width).
    """

    def __init__(self, embeddings: MatrixRows, clusters: Clusters, random_state: int) -> None:
        index = np.arange(len(clusters.codes))
        self._random_state = random_state
        if len(index) > _MAX_ROWS:
            rng = np.random.default_rng(random_state)
            index = np.sort(rng.choice(index, _MAX_ROWS, replace=False))
        sample = clusters.take(index)
        weights = 1 / sample.sizes[sample.codes]
        average = sparse.csr_matrix((weights, (sample.codes, np.arange(len(index)))))
        means = average @ embeddings.take(index).read().astype(np.float64)
        self.center = means.mean(axis=0)
        self._deviations = _clipped(means - self.center)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of groups, and width of the embeddings."""
        n_groups, width = self._deviations.shape
        return n_groups, width

    def explained_variance_ratio(self, axes: Array) -> tuple[float, float]:
        """Return the share of the variance that is along `axes`, and its standard error."""
        return _variance_ratio(_squared_projections(self._deviations, axes), self._deviations)

    def fit_axes(self) -> PrincipalAxes | None:
        """Fit the first five principal axes; None with too few groups or columns."""
        n_groups, width = self.shape
        deviations = self._deviations
        rms_distance = float(np.sqrt((deviations**2).sum(axis=1).mean()))
        if n_groups < _MIN_GROUPS or width <= _N_AXES or not 0 < rms_distance < np.inf:
            return None
        axes, variances = self._pca(deviations)
        is_first_half = (
            np.random.default_rng(self._random_state).permutation(n_groups) * 2 < n_groups
        )
        explained, error = self._cross_fitted_ratio(deviations, is_first_half)
        return PrincipalAxes(
            n_groups=n_groups,
            mean=_rounded(self.center, rms_distance),
            rms_distance=rms_distance,
            effective_dimensions=_effective_dimensions(rms_distance**2, variances),
            axes=[_rounded(axis, 1.0) for axis in axes],
            explained_variance_ratio=round(explained, 6),
            standard_error=round(error, 6),
        )

    def _cross_fitted_ratio(self, deviations: Array, is_first_half: Array) -> tuple[float, float]:
        """Return the explained variance ratio over all groups, and its standard error.

        Each half of the groups is projected on the axes that are fitted to the other half.
        """
        projections = np.zeros(len(deviations))
        for half in (is_first_half, ~is_first_half):
            axes = self._pca(deviations[~half])[0]
            projections[half] = _squared_projections(deviations[half], axes)
        return _variance_ratio(projections, deviations)

    def _pca(self, deviations: Array) -> tuple[Array, Array]:
        pca = PCA(_N_AXES, svd_solver="randomized", random_state=self._random_state).fit(deviations)
        return pca.components_, pca.explained_variance_


def _clipped(deviations: Array) -> Array:
    """Shorten unusually long deviations, so that no single group determines an axis."""
    lengths = np.sqrt((deviations**2).sum(axis=1, keepdims=True))
    max_length = _MAX_DISTANCE * np.median(lengths)
    factors = np.minimum(1.0, max_length / np.maximum(lengths, np.finfo(float).tiny))
    clipped: Array = deviations * factors
    return clipped


def _squared_projections(deviations: Array, axes: Array) -> Array:
    squares: Array = ((deviations @ axes.T) ** 2).sum(axis=1)
    return squares


def _variance_ratio(projections: Array, deviations: Array) -> tuple[float, float]:
    one_row_each = make_clusters(np.arange(len(deviations)))
    return estimate_ratio(projections, (deviations**2).sum(axis=1), one_row_each)


def _effective_dimensions(trace: float, variances: Array) -> float:
    """Return trace(C)^2 / trace(C^2), where C is the covariance matrix of the group means.

    `trace` is trace(C), and `variances` are the variances along the first principal axes.  All
    other variances are assumed to equal the last of these.
    """
    square = (variances**2).sum() + variances[-1] * max(trace - variances.sum(), 0.0)
    return round(max(float(trace**2 / square), 1.0), 3) if square else 1.0


def _rounded(values: Array, scale: float) -> list[float]:
    """Round values to the fourth digit after the leading digit of `scale`."""
    digits = 4 - int(np.floor(np.log10(scale)))
    return [round(value, digits) for value in values.tolist()]


def mean_shift(before: PrincipalAxes, after: GroupMeans) -> tuple[float, float]:
    """Return the distance of the means, and its 99.9% quantile without drift.

    Both are in units of the old RMS distance: that of the old table's groups from their mean.

    Without drift, the squared distance of the means of n and m groups is about
    `(1/n + 1/m) r^2 x / d`: r is the RMS distance, d the number of effective dimensions, and x a
    chi-squared variable with d degrees of freedom (Satterthwaite's approximation).
    """
    distance = float(np.linalg.norm(after.center - np.array(before.mean))) / before.rms_distance
    d = before.effective_dimensions
    per_group = 1 / before.n_groups + 1 / after.shape[0]
    return distance, float(np.sqrt(per_group * chi2.ppf(CONFIDENCE, d) / d))


def lost_variance(before: PrincipalAxes, after: GroupMeans) -> tuple[float, float, float]:
    """Return how much variance the old axes explain in the new table, and how much is lost.

    Returns
    -------
    explained
        Share of the new table's variance, around the new mean, that is along the old axes.
    lost, null_quantile
        `lost` is 1 minus the ratio of `explained` to the same share in the old table.
        `null_quantile` is the 99.9% quantile of `lost` for two tables that differ by chance only.
    """
    explained, error = after.explained_variance_ratio(np.array(before.axes))
    if not before.explained_variance_ratio:
        return explained, 0.0, 0.0
    null_quantile = (
        norm.ppf(CONFIDENCE)
        * np.hypot(error, before.standard_error)
        / before.explained_variance_ratio
    )
    return explained, 1 - explained / before.explained_variance_ratio, float(null_quantile)
