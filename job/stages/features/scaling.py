"""Scale embeddings, or restore their geometry, block by block: the result is the only copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from job.contracts.dataset import MatrixRows
from job.contracts.ports import Executor, MatrixAllocator, ParallelMap
from job.contracts.reports.geometry import AffineMap
from job.contracts.row_blocks import cut
from job.errors import TrainingError
from job.solver.broadcasting import small_ufunc_buffer
from job.stages.features.preprocessing import make_restoring, make_scaling
from job.stages.features.term_counts import restore

Array = npt.NDArray[Any]
_BLOCK: Final = 2048
_ROWS_IN_CACHE: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureMatrix:
    """Fitted preprocessing.

    Attributes
    ----------
    X
        The rows it was fitted to, shape (n_samples, n_features).
    transform
        Gives other rows of the table, by their positions, as a matrix.
    columns
        What each column is, shape (n_features,): the same number whatever rows it is fitted to;
        None where nobody knows.
    """

    X: Any
    preprocess: Any
    transform: Callable[[Array], Any]
    columns: Array | None = None

    def matrix(self, engine: str) -> Any:
        """Return X as an engine takes it.

        scikit-learn alone takes double precision: in single its logistic regression ends where
        the loss no longer tells steps apart, before its own rule does.
        """
        return self.X.astype(np.float64) if engine == "reference" else self.X

    def published(self) -> Any:
        """Return the preprocessing that takes what the consumer has; `transform` ends with it."""
        return restore(self.preprocess)


def fit_scaling(
    embeddings: MatrixRows, index: Array, matrices: MatrixAllocator, executor: Executor
) -> FeatureMatrix:
    """Fit the scaling to some rows, and transform them."""
    pipeline = make_scaling()
    cast, scaler, normalizer = (step for _, step in pipeline.steps)
    rows = embeddings.take(index)
    X = matrices.empty(rows.shape)
    cast.fit(rows.read(slice(1)))
    normalizer.fit(rows.read(slice(1)))
    blocks = cut(slice(0, len(index)), _BLOCK)

    with executor.pool() as parallel_map:
        _fit_scaler(scaler, rows, X, blocks, parallel_map)
        mean, deviation = (some.astype(X.dtype) for some in (scaler.mean_, scaler.scale_))

        @small_ufunc_buffer()
        def scale(block: slice) -> None:
            for few in cut(block, _ROWS_IN_CACHE):
                _standardize(X[few], mean, deviation)

        parallel_map(scale, blocks)

    def transform(index: Array) -> Array:
        some = embeddings.take(index)
        X = matrices.empty(some.shape)

        @small_ufunc_buffer()
        def fill(block: slice) -> None:
            for few in cut(block, _ROWS_IN_CACHE):
                _standardize(some.read(few, out=X[few]), mean, deviation)

        with executor.pool() as parallel_map:
            parallel_map(fill, cut(slice(0, len(index)), _BLOCK))
        return X

    return FeatureMatrix(
        X=X, preprocess=pipeline, transform=transform, columns=np.arange(rows.shape[1])
    )


def restore_rows(
    embeddings: MatrixRows,
    index: Array,
    restoring: AffineMap,
    matrices: MatrixAllocator,
    executor: Executor,
) -> FeatureMatrix:
    """Apply a map that is known block by block; nothing is fitted to the rows."""
    pipeline = make_restoring(restoring).fit(embeddings.read(slice(1)))
    affine, width = pipeline[:-1], len(restoring.columns)

    def transform(index: Array) -> Array:
        some = embeddings.take(index)
        X = matrices.empty((len(index), width))

        @small_ufunc_buffer()
        def fill(block: slice) -> None:
            for few in cut(block, _ROWS_IN_CACHE):
                with np.errstate(over="ignore"):
                    X[few] = affine.transform(some.read(few))
                _normalize(X[few])

        with executor.pool() as parallel_map:
            parallel_map(fill, cut(slice(0, len(index)), _BLOCK))
        return X

    return FeatureMatrix(
        X=transform(index), preprocess=pipeline, transform=transform, columns=np.arange(width)
    )


def _standardize(rows: Array, mean: Array, deviation: Array) -> None:
    """Do in place what scaler and normalizer do, operation by operation."""
    rows -= mean
    with np.errstate(over="ignore"):
        rows /= deviation
    _normalize(rows)


def _normalize(rows: Array) -> None:
    """Divide rows by their lengths in place.

    Raises
    ------
    TrainingError
        A row's length is not a number of single precision; NaN would come of it.
    """
    with np.errstate(over="ignore"):
        norms = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    if not np.isfinite(norms).all():
        raise TrainingError(
            "embeddings of the table hold a value that is too far from the others to be scaled",
            hint="look for a huge number that stands for a missing one, and leave such rows out",
        )
    norms[norms < 10 * np.finfo(norms.dtype).eps] = 1  # scikit-learn's rule for rows of zeros
    rows /= norms[:, None]


def _fit_scaler(
    scaler: StandardScaler,
    rows: MatrixRows,
    X: Array,
    blocks: list[slice],
    parallel_map: ParallelMap,
) -> None:
    """Copy the rows into X, and measure blocks apart while they are in the cache.

    scikit-learn itself takes the last block in: it knows best what a constant column is.
    """

    @small_ufunc_buffer()
    def measure(block: slice) -> tuple[int, Array, Array]:
        pieces = cut(block, _ROWS_IN_CACHE)
        return _pooled([_moments_of(rows.read(few, out=X[few])) for few in pieces])

    *others, last = blocks
    if others:
        n, scaler.mean_, scaler.var_ = _pooled(parallel_map(measure, others))
        scaler.n_samples_seen_ = np.int64(n)
        scaler.scale_ = np.sqrt(scaler.var_)
        scaler.n_features_in_ = rows.shape[1]
    scaler.partial_fit(rows.read(last, out=X[last]))


def _moments_of(rows: Array) -> tuple[int, Array, Array]:
    """Count rows and give mean and variance of each column, in double precision as scikit-learn."""
    from_mean = rows.astype(np.float64)
    mean = np.ones(len(rows)) @ from_mean / len(rows)
    from_mean -= mean
    return len(rows), mean, np.einsum("nd,nd->d", from_mean, from_mean) / len(rows)


def _pooled(parts: list[tuple[int, Array, Array]]) -> tuple[int, Array, Array]:
    """Put moments of parts together: the pooled mean and variance."""
    n, means, variances = (np.stack(some) for some in zip(*parts, strict=True))
    mean = n @ means / n.sum()
    return int(n.sum()), mean, n @ (variances + (means - mean) ** 2) / n.sum()
