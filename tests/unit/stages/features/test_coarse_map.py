"""The map of restored embeddings is rounded so coarsely that one row seldom changes it."""

import numpy as np
from support.executors import InTurn
from support.rows import rows_of_embeddings

from job.contracts.reports.geometry import AffineMap
from job.contracts.settings.features import FeatureSpec
from job.stages.features.coarse_map import round_map
from job.stages.features.geometry import detect_geometry

N, WIDTH = 10_000, 384


def draw_rows(n, width, seed=0):
    """Draw rows of length 1 whose columns have different means and deviations."""
    rng = np.random.default_rng(seed)
    U = rng.standard_normal((n, width)) * np.exp(rng.standard_normal(width) / 4)
    U += 0.6 * rng.standard_normal(width)
    return U / np.linalg.norm(U, axis=1, keepdims=True)


def map_of(total, squares, n):
    """Return the map that undoes a standardization, from the sums over n rows."""
    mean = total / n
    deviation = np.sqrt(squares / n - mean**2)
    return AffineMap(columns=np.arange(len(mean)), scale=deviation, offset=mean)


def cosine(one, other):
    length = np.linalg.norm(one) * np.linalg.norm(other)
    return abs(one @ other) / length if length else 0.0


def test_two_maps_do_not_give_back_the_row_in_which_tables_differ():
    """With exact maps, the difference is the row."""
    U = draw_rows(N, WIDTH)
    total, squares, center = U.sum(axis=0), np.square(U).sum(axis=0), np.zeros(WIDTH)
    one, exact, rounded = map_of(total, squares, N), [], []
    for row in U[:200]:
        other = map_of(total - row, squares - row**2, N - 1)
        target = row - U.mean(axis=0)
        exact.append(cosine(one.offset - other.offset, target))
        before, after = round_map(one, center), round_map(other, center)
        rounded.append(
            max(
                cosine(before.offset - after.offset, target),
                cosine(before.scale - after.scale, target),
            )
        )

    assert min(exact) > 0.99
    assert np.mean(rounded) < 0.05


def test_map_is_on_the_grid_and_close_to_the_exact_one():
    """It also is if the columns are far from zero."""
    U = draw_rows(N, WIDTH)
    center, scale = np.full(WIDTH, 30.0), np.linspace(0.5, 2, WIDTH)
    X = center + (U - U.mean(axis=0)) / scale
    exact = AffineMap(columns=np.arange(WIDTH), scale=scale, offset=U.mean(axis=0) - scale * center)
    rounded = round_map(exact, center)
    cells, octaves = rounded.offset * 4 * np.sqrt(WIDTH), 4 * np.log2(rounded.scale)
    restored = rounded.scale * X + rounded.offset
    lengths = np.linalg.norm(restored, axis=1)

    np.testing.assert_allclose(cells, np.round(cells), atol=1e-6)
    np.testing.assert_allclose(octaves, np.round(octaves), atol=1e-6)
    assert 0.015 > np.sqrt(np.square(lengths - 1).mean())
    assert 0.98 < ((restored * U).sum(axis=1) / lengths).min()


def test_table_with_few_rows_for_its_columns_is_not_restored():
    """One row would move the mean by too many cells."""
    spec = FeatureSpec(geometry="auto")
    for n, status in ((250, "too_few_rows"), (260, "restored")):
        U = draw_rows(n, 32)
        rows = rows_of_embeddings((U - U.mean(axis=0)) / U.std(axis=0))
        geometry = detect_geometry(rows, spec, 0, InTurn())

        assert status == geometry.status
        assert (geometry.map is None) == (status == "too_few_rows")
