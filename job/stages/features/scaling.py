"""Scale embeddings, or restore their rows to length 1, in chunks and without extra copies.

How it works
------------
1. The rows are copied into the result matrix, and scaled there in place.
2. Threads divide the rows by their lengths (Euclidean norms), in chunks that fit into the cache.
   Mean and variance of all chunks except the last one are pooled in a fixed order.  scikit-learn's
   `StandardScaler` gets the result, and adds the last chunk itself.
3. Rows are then standardized in place, and divided by the square root of the width, with the
   operations of scikit-learn.
4. If rows are only scaled to length 1, or restored to length 1 by the affine map of `geometry`,
   nothing is fitted, and rows are not standardized.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from job.contracts.arrays import Array
from job.contracts.matrix_rows import MatrixRows
from job.contracts.ports import Executor, MatrixAllocator, ParallelMap
from job.contracts.reports.geometry import AffineMap
from job.contracts.row_blocks import split_rows
from job.errors import TrainingError
from job.solver.broadcasting import small_ufunc_buffer
from job.stages.features.folding import ignore_flat_columns
from job.stages.features.preprocessing import (
    make_restoring,
    make_scaling,
    make_unit_rows,
    standardized_weight,
)
from job.stages.features.term_counts import replace_counted_terms

_BLOCK: Final = 2048
_ROWS_IN_CACHE: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureMatrix:
    """Fitted preprocessing, and the feature matrix of the rows to which it was fitted.

    Attributes
    ----------
    X
        Feature matrix of the fitted rows, shape (n_samples, n_features).
    transform
        Function that returns the feature matrix of any rows of the table, given their positions.
    columns
        Ids of the columns, shape (n_features,).  A feature has the same id if the preprocessing is
        fitted again to other rows.  None if the columns of two fits cannot be matched.
    """

    X: Any
    preprocess: Any
    transform: Callable[[Array], Any]
    columns: Array | None = None

    def matrix(self, engine: str) -> Any:
        """Return X in the precision that the engine needs.

        The reference engine, scikit-learn, needs double precision.  In single precision, the fit of
        its logistic regression ends too early: the loss stops changing before the tolerance is met.
        """
        return self.X.astype(np.float64) if engine == "reference" else self.X

    def exported(self) -> Any:
        """Return `preprocess`, changed to take texts; after this, `transform` does not work."""
        return replace_counted_terms(self.preprocess)


def fit_scaling(
    embeddings: MatrixRows, index: Array, allocator: MatrixAllocator, executor: Executor
) -> FeatureMatrix:
    """Fit the scaling to the rows at positions `index`; return the scaling and the scaled rows."""
    pipeline = make_scaling()
    cast, normalizer, scaler = (step for _, step in pipeline.steps)
    rows = embeddings.take(index)
    X = allocator.empty(rows.shape)
    cast.fit(rows.read(slice(1)))
    normalizer.fit(rows.read(slice(1)))
    blocks = split_rows(slice(0, len(index)), _BLOCK)

    with executor.pool() as parallel_map:
        _fit_scaler(scaler, rows, X, blocks, parallel_map)
        mean, deviation = (values.astype(X.dtype) for values in (scaler.mean_, scaler.scale_))

        _run_in_pieces(
            lambda piece: _standardize(X[piece], mean, deviation), len(index), parallel_map
        )

    def transform(index: Array) -> Array:
        rows = embeddings.take(index)
        X = allocator.empty(rows.shape)

        def fill(piece: slice) -> None:
            _normalize(rows.read(piece, out=X[piece]))
            _standardize(X[piece], mean, deviation)

        with executor.pool() as parallel_map:
            _run_in_pieces(fill, len(index), parallel_map)
        return X

    columns = np.arange(rows.shape[1])
    return FeatureMatrix(X=X, preprocess=pipeline, transform=transform, columns=columns)


def scale_rows(
    embeddings: MatrixRows, index: Array, allocator: MatrixAllocator, executor: Executor
) -> FeatureMatrix:
    """Scale the rows at these positions to length 1; nothing is fitted."""
    pipeline = make_unit_rows().fit(embeddings.read(slice(1)))
    return _map_rows(
        embeddings, index, pipeline, embeddings.shape[1], lambda rows: rows, allocator, executor
    )


def restore_rows(
    embeddings: MatrixRows,
    index: Array,
    affine_map: AffineMap,
    allocator: MatrixAllocator,
    executor: Executor,
) -> FeatureMatrix:
    """Restore length 1 to the rows at positions `index` by `affine_map`; nothing is fitted."""
    pipeline = make_restoring(affine_map).fit(embeddings.read(slice(1)))
    width, map_rows = len(affine_map.columns), pipeline[:-1].transform
    return _map_rows(embeddings, index, pipeline, width, map_rows, allocator, executor)


def _map_rows(
    embeddings: MatrixRows,
    index: Array,
    pipeline: Pipeline,
    width: int,
    map_rows: Callable[[Array], Array],
    allocator: MatrixAllocator,
    executor: Executor,
) -> FeatureMatrix:
    """Apply `map_rows` to the embeddings at positions `index`, then scale the rows to length 1."""

    def transform(index: Array) -> Array:
        rows = embeddings.take(index)
        X = allocator.empty((len(index), width))

        def fill(piece: slice) -> None:
            with np.errstate(over="ignore"):
                X[piece] = map_rows(rows.read(piece))
            _normalize(X[piece])

        with executor.pool() as parallel_map:
            _run_in_pieces(fill, len(index), parallel_map)
        return X

    return FeatureMatrix(
        X=transform(index), preprocess=pipeline, transform=transform, columns=np.arange(width)
    )


def _run_in_pieces(work: Callable[[slice], None], n_rows: int, parallel_map: ParallelMap) -> None:
    """Call `work` in threads, for pieces of the rows that fit into the cache."""

    @small_ufunc_buffer()
    def run(block: slice) -> None:
        for piece in split_rows(block, _ROWS_IN_CACHE):
            work(piece)

    parallel_map(run, split_rows(slice(0, n_rows), _BLOCK))


def _standardize(rows: Array, mean: Array, deviation: Array) -> None:
    """Standardize the rows in place, with the operations of scikit-learn's scaler."""
    rows -= mean
    rows /= deviation


def _normalize(rows: Array) -> None:
    """Divide rows by their lengths in place.

    Raises
    ------
    TrainingError
        The length of a row overflows single precision, and dividing by it would give NaN.
    """
    with np.errstate(over="ignore"):
        norms = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    if not np.isfinite(norms).all():
        raise TrainingError(
            "an embedding of the table is too long: its length overflows single precision",
            hint="find numbers that represent missing values, such as 1e30, and remove their rows",
        )
    # scikit-learn's rule for rows of zeros, in the double precision of the published model
    norms[norms < 10 * np.finfo(np.float64).eps] = 1
    rows /= norms[:, None]


def _fit_scaler(
    scaler: StandardScaler,
    rows: MatrixRows,
    X: Array,
    blocks: list[slice],
    parallel_map: ParallelMap,
) -> None:
    """Copy the rows into X, divide them by their lengths, and fit the scaler to the result.

    `scaler` itself adds the last chunk, and decides which columns are constant.
    """

    @small_ufunc_buffer()
    def copy_and_measure(block: slice) -> tuple[int, Array, Array]:
        pieces = split_rows(block, _ROWS_IN_CACHE)
        return _pool_moments([_moments(read(piece)) for piece in pieces])

    def read(piece: slice) -> Array:
        _normalize(rows.read(piece, out=X[piece]))
        part: Array = X[piece]
        return part

    *others, last = blocks
    if others:
        n, scaler.mean_, scaler.var_ = _pool_moments(parallel_map(copy_and_measure, others))
        scaler.n_samples_seen_ = np.int64(n)
        scaler.scale_ = np.sqrt(scaler.var_)
        scaler.n_features_in_ = rows.shape[1]
    scaler.partial_fit(read(last))
    ignore_flat_columns(scaler)
    scaler.scale_ = scaler.scale_ / standardized_weight(rows.shape[1])


def _moments(rows: Array) -> tuple[int, Array, Array]:
    """Return the number of rows, and each column's mean and variance in double precision."""
    centered = rows.astype(np.float64)
    mean = np.ones(len(rows)) @ centered / len(rows)
    centered -= mean
    return len(rows), mean, np.einsum("nd,nd->d", centered, centered) / len(rows)


def _pool_moments(parts: list[tuple[int, Array, Array]]) -> tuple[int, Array, Array]:
    """Combine the moments of disjoint chunks of rows into those of all rows."""
    n, means, variances = (np.stack(values) for values in zip(*parts, strict=True))
    mean = n @ means / n.sum()
    return int(n.sum()), mean, n @ (variances + (means - mean) ** 2) / n.sum()
