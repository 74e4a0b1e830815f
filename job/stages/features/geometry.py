"""Detect whether a table's embeddings had rows of length 1 before their columns were scaled.

Length means Euclidean norm.  Sentence embeddings have rows of length 1, and their cosines measure
how similar texts are.  If the columns are standardized, both properties are lost.  The matrix alone
is enough to undo the standardization: embeddings are *restored* by an affine map of each column,
after which the rows have length 1 again.

How it works
------------
1. Distinct rows are sampled.  If all rows already have the same length, nothing is restored.
   Rows that are far from the others (zeros in place of an embedding) are left out.
2. Possibly only the first columns are an embedding: the data-pipeline appends 200 other columns to
   the 384 of its embedding model.  A prefix is the first n columns, for some n.  Several prefixes
   are tried: those that end where the scale of the columns changes, and all columns.  If a fit
   shows that only the first columns of a prefix are on the quadric, only these are fitted again.
3. `job.stages.features.quadric` fits each prefix to most of the rows, and holds out the rest.  A
   prefix of w columns has 2 w + 1 unknowns, and is not tried with fewer distinct rows.
4. Of the sound fits (`QuadricFit.is_sound`), the one with the lowest `ratio` (smallest / second
   smallest singular value) gives the map, rounded by `coarse_map`.  Without any, nothing changes.

A constant column cannot be restored.  Restored rows omit it, and are divided by their length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import numpy as np
import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.ports import Executor
from job.contracts.reports.geometry import AffineMap, Geometry, Status
from job.contracts.row_blocks import split_rows
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.search import FeatureBlocks
from job.stages.features.coarse_map import coarsen_map
from job.stages.features.quadric import (
    MIN_COLUMNS,
    Products,
    QuadricFit,
    fit_quadric,
    measure_columns,
    sum_products,
)

log = structlog.get_logger(__name__)
ONE_LENGTH: Final = 1e-3  # root mean square of |length / mean - 1|
MAX_WIDTH: Final = 1536
_MAX_ROWS: Final = 50_000
_MAX_FITTED: Final = 8192
_MAX_HELD_OUT: Final = 1024
_MIN_HELD_OUT: Final = 30
_HELD_OUT_SHARE: Final = 10  # one row in this many is held out
_BLOCK: Final = 1024
_MIN_CHANGE: Final = np.log(1.2)  # minimum change of the log of the columns' scale
_MAX_DEPTH: Final = 2
_MAX_DISTANCE: Final = 2.0  # outliers: more than this times the median distance


def detect_geometry(
    train: Rows, spec: FeatureSpec, random_state: int, executor: Executor
) -> Geometry | None:
    """Return the geometry with a rounded map; None if the settings do not use the geometry."""
    if spec.geometry != "auto" or "embeddings" not in spec.use or train.embeddings is None:
        return None
    with executor.pool():  # one BLAS thread: the same bits on any number of CPUs
        geometry = coarsen_map(find_geometry(train.embeddings, random_state), train.embeddings)
    log.info(
        "geometry_found",
        status=geometry.status,
        prefix=geometry.prefix,
        width=geometry.width,
        n_distinct_rows=geometry.n_distinct_rows,
        singular_values=geometry.singular_values,
    )
    return geometry


def keep_lengths(geometry: Geometry) -> Geometry:
    """Return the geometry with an identity map if all rows have the same length.

    With the identity map, these rows are used as they are, and not standardized.  Other geometries
    are returned unchanged.
    """
    if geometry.status != "one_length":
        return geometry
    n = geometry.width
    identity = AffineMap(columns=np.arange(n), scale=np.ones(n), offset=np.zeros(n))
    return geometry.copy_with(map=identity)


def select_geometry(geometry: Geometry | None, feature_blocks: FeatureBlocks) -> Geometry | None:
    """Return `geometry` if the model's feature blocks include embeddings, else None."""
    return geometry if "embeddings" in feature_blocks else None


def geometry_bytes(width: int) -> int:
    """Return an upper bound on the bytes that `find_geometry` needs, not counting the table."""
    if width > MAX_WIDTH:
        return 0
    n_terms = 2 * width + 1
    return 8 * n_terms * (4 * n_terms + 2 * _MAX_HELD_OUT + 2 * _BLOCK)


def find_geometry(embeddings: MatrixRows, random_state: int) -> Geometry:
    """Return the geometry; its `map` is None if no fit restores the rows to length 1.

    Parameters
    ----------
    embeddings
        Finite numbers, shape (n_rows, width).
    random_state
        Seed of the sample of rows.
    """
    rng = np.random.default_rng(random_state)
    n_rows, width = embeddings.shape
    if n_rows > _MAX_ROWS:
        embeddings = embeddings.take(np.sort(rng.choice(n_rows, _MAX_ROWS, replace=False)))
    distinct = embeddings.take(rng.permutation(_find_distinct(embeddings)))
    rows = _drop_outliers(distinct)
    n_held_out = min(max(rows.shape[0] // _HELD_OUT_SHARE, _MIN_HELD_OUT), _MAX_HELD_OUT)
    n_fitted = min(rows.shape[0] - n_held_out, _MAX_FITTED)
    best, status = None, _exclusion(rows, n_fitted)
    if status is None:
        train = rows.take(np.arange(n_held_out, n_held_out + n_fitted))
        best = _fit_best(sum_products(train, rows.take(np.arange(n_held_out))))
        is_sound = best is not None and best.is_sound
        is_conclusive = is_sound or n_fitted > 2 * width
        status = "restored" if is_sound else "not_found" if is_conclusive else "too_few_rows"
    geometry = Geometry(
        status=status, n_rows=embeddings.shape[0], n_distinct_rows=distinct.shape[0], width=width
    )
    if best is None:
        return geometry
    return geometry.copy_with(
        prefix=best.prefix,
        n_columns=len(best.map.columns),
        n_fitted_rows=n_fitted,
        n_held_out_rows=n_held_out,
        singular_values=best.singular_values,
        length_deviation=best.length_deviation,
        cosine_error=best.cosine_error,
        map=best.map if status == "restored" else None,
    )


def _drop_outliers(rows: MatrixRows) -> MatrixRows:
    """Return the rows without outliers, such as zeros in place of an embedding."""
    for _ in range(2):  # in the first round, a huge value can hide other outliers
        rows = rows.take(_is_inlier(rows))
    return rows


def _find_distinct(rows: MatrixRows) -> Array:
    """Return the position of the first occurrence of each distinct row."""
    digests = np.empty(rows.shape[0], np.uint64)
    for block in split_rows(slice(0, rows.shape[0]), _BLOCK):
        hashes = [hashlib.blake2b(row, digest_size=8).digest() for row in rows.read(block)]
        digests[block] = np.frombuffer(b"".join(hashes), np.uint64)
    return np.sort(np.unique(digests, return_index=True)[1])


def _is_inlier(rows: MatrixRows) -> Array:
    """Return a mask of the rows that are not outliers.

    A row is an outlier if, after standardizing the columns, its distance from the mean is less than
    half the median distance, or more than twice the median distance.
    """
    if not rows.shape[0]:
        return np.zeros(0, bool)
    blocks = split_rows(slice(0, rows.shape[0]), _BLOCK)
    mean, scale, _ = measure_columns(rows)
    distances = np.concatenate([_lengths((rows.read(block) - mean) / scale) for block in blocks])
    median = np.median(distances)
    is_inlier: Array = (distances >= median / _MAX_DISTANCE) & (distances <= median * _MAX_DISTANCE)
    return is_inlier


def _exclusion(rows: MatrixRows, n_fitted: int) -> Status | None:
    """Return why no quadric can be fitted to these rows, as a status; None if one can be fitted."""
    n_rows, width = rows.shape
    blocks = split_rows(slice(0, n_rows), _BLOCK)
    lengths = np.concatenate([np.zeros(0), *(_lengths(rows.read(block)) for block in blocks)])
    mean = lengths.mean() if n_rows else 0.0
    if mean > 0 and np.sqrt(np.square(lengths / mean - 1).mean()) <= ONE_LENGTH:
        return "one_length"
    if width > MAX_WIDTH:
        return "too_wide"
    if width < MIN_COLUMNS:
        return "not_found"
    return "too_few_rows" if n_fitted <= 2 * MIN_COLUMNS else None


def _lengths(rows: Array) -> Array:
    lengths: Array = np.linalg.norm(rows.astype(float), axis=1)
    return lengths


def _fit_best(products: Products) -> QuadricFit | None:
    """Return the fit with the lowest `ratio`, among the sound fits if there are any."""
    fits: list[QuadricFit] = []
    for prefix in _list_prefixes(products):
        fit = fit_quadric(products, prefix)
        if fit is not None and not fit.is_sound and fit.prefix < prefix:
            fit = fit_quadric(products, fit.prefix) or fit
        if fit is not None:
            fits.append(fit)
    return min(fits, key=lambda fit: (not fit.is_sound, fit.ratio), default=None)


def _list_prefixes(products: Products) -> list[int]:
    """Return the prefixes to fit, in ascending order: n stands for the first n columns.

    A prefix is left out if there are too few distinct rows to fit it.
    """
    width = len(products.mean)
    scale = np.log(products.deviation)
    scale[~products.varies] = np.median(scale[products.varies]) if products.varies.any() else 0.0
    widths = {width, *_find_changes(scale, 0, _MAX_DEPTH), *_find_departure(scale)}
    return sorted(w for w in widths if w >= MIN_COLUMNS and 2 * w < products.n_rows)


def _find_changes(scale: Array, start: int, depth: int) -> Iterator[int]:
    """Yield the positions where the mean of `scale` changes most, by binary segmentation."""
    n = len(scale)
    if n < 2 or not depth:
        return
    sizes = np.arange(1, n)
    left = np.cumsum(scale)[:-1] / sizes
    right = (scale.sum() - left * sizes) / (n - sizes)
    cut_at = int((sizes * (n - sizes) * np.square(left - right)).argmax()) + 1
    if abs(left[cut_at - 1] - right[cut_at - 1]) < _MIN_CHANGE:
        return
    yield start + cut_at
    yield from _find_changes(scale[:cut_at], start, depth - 1)
    yield from _find_changes(scale[cut_at:], start + cut_at, depth - 1)


def _find_departure(scale: Array) -> Iterator[int]:
    """Yield the first position where three adjacent columns differ in scale from the first ones."""
    first = np.median(scale[:MIN_COLUMNS])
    is_other = np.abs(scale - first) > 2 * _MIN_CHANGE
    departs = is_other[:-2] & is_other[1:-1] & is_other[2:]
    if departs.any():
        yield int(departs.argmax())
