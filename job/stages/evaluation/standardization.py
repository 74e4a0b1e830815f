"""Detect embeddings whose columns were standardized within the table.

The same text has other standardized values in another batch, so a model that was trained on one
batch may fail on another.  The check needs only the matrix of embeddings.

How it works
------------
1. Standardized columns have a mean of zero, and the same standard deviation (scale).  If blocks of
   columns were multiplied by different factors, each block has its own scale.  The upstream
   multiplies two blocks by 0.7 and 0.3.  Therefore the check measures the share of columns that
   have one of the two most common scales.
2. A table may contain only a part of the standardized batch.  Its means are then not exactly zero
   and its scales not exactly equal.  The thresholds allow for a table with half of the batch's
   groups.
3. A table whose rows all have the same length is not reported: its rows were divided by their
   lengths after any standardization.

Measured values of three statistics.  Mean ratio: median over the columns of |mean| / deviation.
Scale share: see 1.  Length variation: deviation of the row lengths, divided by their mean.
    upstream, 10,000 rows                         0.000        1.000        0.146
    upstream, 2,000 rows                          0.013        0.928        0.144
    20 random halves of their groups, range       0.041-0.080  0.594-0.818  0.122-0.15
    the same tables, rows divided by length       0.015-0.023  0.818-0.842  0.000
    banking77, MiniLM                             0.370        0.766        0.000
    privacyqa, MiniLM                             0.403        0.814        0.000
    principal components of the four tables       0.000-0.022  0.115-0.173  0.081-0.149
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.wording import Standardization
from job.contracts.row_blocks import split_rows

MAX_MEAN_RATIO: Final = 0.15
MIN_SCALE_SHARE: Final = 0.5
MIN_LENGTH_VARIATION: Final = 0.01
_N_SCALES: Final = 2
_SCALE_WIDTH: Final = 2 * np.log(1.1)  # from 10% below a scale to 10 % above it
_MAX_ROWS: Final = 50_000
_BLOCK: Final = 1024
_CONSTANT: Final = 1e-6  # relative to the largest deviation: columns below it are constant


def check_standardization(embeddings: MatrixRows, random_state: int) -> Standardization:
    """Measure whether the columns look standardized, on a random sample of a large table."""
    n_rows = embeddings.shape[0]
    if n_rows > _MAX_ROWS:
        rng = np.random.default_rng(random_state)
        embeddings = embeddings.take(np.sort(rng.choice(n_rows, _MAX_ROWS, replace=False)))
    mean, deviation, lengths = _measure_columns(embeddings)
    varies = deviation > _CONSTANT * deviation.max(initial=0)
    mean_ratio = scale_share = 0.0
    if varies.any():
        mean_ratio = float(np.median(np.abs(mean[varies]) / deviation[varies]))
        scale_share = _share_of_scales(deviation[varies])
    center = float(lengths.mean()) if len(lengths) else 0.0
    length_variation = float(lengths.std()) / center if center else 0.0
    return Standardization(
        n_rows=len(lengths),
        mean_ratio=mean_ratio,
        scale_share=scale_share,
        length_variation=length_variation,
        is_standardized=bool(
            mean_ratio <= MAX_MEAN_RATIO
            and scale_share >= MIN_SCALE_SHARE
            and length_variation >= MIN_LENGTH_VARIATION
        ),
    )


def _measure_columns(embeddings: MatrixRows) -> tuple[Array, Array, Array]:
    """Compute means and standard deviations of the columns, and lengths of the rows."""
    n_rows, width = embeddings.shape
    total, squares, lengths = np.zeros(width), np.zeros(width), np.zeros(n_rows)
    origin = np.zeros(width)
    for rows in split_rows(slice(0, n_rows), _BLOCK):
        block = embeddings.read(rows).astype(float)
        lengths[rows] = np.linalg.norm(block, axis=1)
        if rows.start == 0:
            origin = block.mean(axis=0)  # squares of numbers far from zero would lose precision
        block -= origin
        total += block.sum(axis=0)
        squares += np.square(block).sum(axis=0)
    shift = total / max(n_rows, 1)
    variance = squares / max(n_rows, 1) - shift**2
    return origin + shift, np.sqrt(variance.clip(min=0)), lengths


def _share_of_scales(deviation: Array) -> float:
    """Return the share of columns that have one of the two most common standard deviations."""
    remaining, n_at_scale = np.sort(np.log(deviation)), 0
    for _ in range(_N_SCALES):
        if not len(remaining):
            break
        stops = np.searchsorted(remaining, remaining + _SCALE_WIDTH, side="right")
        sizes = stops - np.arange(len(remaining))
        start = int(sizes.argmax())
        n_at_scale += int(sizes[start])
        remaining = np.delete(remaining, slice(start, stops[start]))
    return n_at_scale / len(deviation)
