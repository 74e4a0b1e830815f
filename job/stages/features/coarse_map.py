"""Round the map that restores embeddings, so that the map does not reveal single rows.

How it works
------------
1. The map of `geometry` undoes the standardization by the table's writer, so the map's scales and
   offsets are the writer's deviations and means.  If two tables differ by one row, the difference
   of their means reveals that row.
2. The map is rounded to a coarse grid.  A scale is rounded to a power of 2**(1/4).  The offset is
   then chosen such that the rounded map agrees with the exact one at the center of the rows, and is
   rounded to a multiple of 1 / (4 sqrt(w)), for w columns.  Restored rows of w columns have
   deviations of about 1 / sqrt(w), so the grid is a quarter of a deviation.
3. One of n rows moves all offsets together by at most sqrt(w) / n, which is 4 w / n grid cells.  An
   offset changes only if it is at the edge of a cell, and then by a whole cell, whatever the row
   is.  Tables with fewer than 8 rows for each column are not restored, so one row moves the exact
   offsets by at most half a cell in total, and usually no rounded offset changes.
4. The rounded map shifts all rows by the same small vector.  The lengths then differ from 1 by up
   to about .01, so rows are divided by their lengths afterwards.  Models are fitted to rows that
   the rounded map yields.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.geometry import AffineMap, Geometry

_CELLS_PER_DEVIATION: Final = 4  # of an offset
_STEPS_PER_OCTAVE: Final = 4  # of a scale
_MIN_ROWS_PER_COLUMN: Final = 8
_N_CENTER_ROWS: Final = 1024  # the first rows; any point among the rows can serve as their center


def coarsen_map(geometry: Geometry, embeddings: MatrixRows) -> Geometry:
    """Return the geometry with a rounded map, or without one if the table has too few rows.

    Parameters
    ----------
    embeddings
        The rows in which the geometry was found, shape (n_rows, width).
    """
    if geometry.map is None:
        return geometry
    columns = geometry.map.columns
    if embeddings.shape[0] < _MIN_ROWS_PER_COLUMN * len(columns):
        return geometry.copy_with(status="too_few_rows", map=None)
    center = np.median(embeddings.read(slice(0, _N_CENTER_ROWS)), axis=0)[columns]
    return geometry.copy_with(map=round_map(geometry.map, center.astype(np.float64)))


def round_map(affine_map: AffineMap, center: Array) -> AffineMap:
    """Return the map on the coarse grid.

    Parameters
    ----------
    center
        Values of the map's columns, shape (n_columns,).  At these values, the rounded map agrees
        with the exact one, except for the rounding of the offset.
    """
    octaves = np.round(np.log2(affine_map.scale) * _STEPS_PER_OCTAVE) / _STEPS_PER_OCTAVE
    scale = 2.0**octaves
    step = 1 / (_CELLS_PER_DEVIATION * np.sqrt(len(center)))
    offset = affine_map.offset + (affine_map.scale - scale) * center
    return AffineMap(columns=affine_map.columns, scale=scale, offset=step * np.round(offset / step))
