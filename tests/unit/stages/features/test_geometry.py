"""Rows of length 1 are restored if the table determines them; other tables are unchanged."""

import json

import numpy as np
import pytest
from support.executors import InTurn
from support.rows import rows_of_embeddings, rows_of_texts
from threadpoolctl import threadpool_limits

from job.adapters.executors.local import LocalThreads
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.features import FeatureSpec
from job.stages.features.geometry import (
    detect_geometry,
    find_geometry,
    geometry_bytes,
    select_geometry,
)

WIDTH = 32


def unit_rows(n, width=WIDTH, seed=0):
    """Draw rows of length 1 whose columns have different means and deviations."""
    rng = np.random.default_rng(seed)
    U = rng.standard_normal((n, width)) * np.exp(rng.standard_normal(width) / 2) + 0.3
    return U / np.linalg.norm(U, axis=1, keepdims=True)


def standardize(U, scale=0.7):
    deviation = U.std(axis=0)
    return (U - U.mean(axis=0)) / np.where(deviation > 0, deviation, 1) * scale


def others(n, width, scale=0.3, seed=1):
    return standardize(np.random.default_rng(seed).standard_t(5, (n, width)), scale)


def find(X, random_state=0):
    X = np.ascontiguousarray(X, np.float32)
    with LocalThreads(1).pool():  # as in a run: one BLAS thread
        return find_geometry(MatrixRows(X, np.arange(len(X))), random_state)


def min_cosine(geometry, X, U):
    E = np.asarray(X)[:, geometry.map.columns] * geometry.map.scale + geometry.map.offset
    E /= np.linalg.norm(E, axis=1, keepdims=True)
    return (E * U[:, geometry.map.columns]).sum(axis=1).min()


@pytest.mark.parametrize("n", [300, 5000, 60_000])
def test_standardized_rows_are_restored(n):
    """Every row of the table is restored up to single precision."""
    U = unit_rows(n)
    geometry = find(standardize(U))

    assert ("restored", WIDTH, WIDTH) == (geometry.status, geometry.prefix, geometry.n_columns)
    assert geometry.singular_values[0] < 1e-5 * geometry.singular_values[1]
    assert geometry.length_deviation < 1e-6
    assert min_cosine(geometry, standardize(U), U) > 1 - 1e-9


def test_any_affine_map_is_undone():
    """The map may have other means and scales than those of standardized columns."""
    U, rng = unit_rows(2000), np.random.default_rng(2)
    X = U * rng.uniform(0.1, 9, WIDTH) + rng.uniform(-3, 3, WIDTH)

    assert min_cosine(find(X), X, U) > 1 - 1e-6


def test_batch_of_one_class_is_restored():
    """Its rows are close to each other before they are standardized."""
    U = unit_rows(4000)
    U = U[np.argsort(U[:, 0])[:1500]]

    assert min_cosine(find(standardize(U)), standardize(U), U) > 1 - 1e-9


@pytest.mark.parametrize("noise", [0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.5])
@pytest.mark.parametrize("n", [96, 110, 3000])
def test_noise_is_never_restored_wrongly(n, noise):
    """Rows are restored with a cosine of .999 or not at all; little noise does not prevent it."""
    U = unit_rows(n)
    X = standardize(U) + noise * np.random.default_rng(3).standard_normal(U.shape)
    geometry = find(X)

    assert noise > 1e-4 or n < 3000 or geometry.map is not None
    assert geometry.map is None or min_cosine(geometry, X, U) >= 0.999


@pytest.mark.parametrize("n", [40, 64, 90])
def test_fewer_distinct_rows_than_unknowns_determine_nothing(n):
    """Copies of them do not help."""
    X = standardize(unit_rows(n))[np.random.default_rng(4).integers(0, n, 2000)]

    assert ("too_few_rows", None) == ((geometry := find(X)).status, geometry.map)
    assert geometry.n_distinct_rows <= n


def test_copies_change_nothing():
    X = standardize(unit_rows(300))
    geometry = find(X[np.random.default_rng(5).integers(0, 300, 5000)])

    assert "restored" == geometry.status
    assert geometry.n_distinct_rows <= 300


@pytest.mark.parametrize("scale", [1, 3])
def test_rows_of_one_length_are_unchanged(scale):
    """Embedding models return such rows."""
    assert "one_length" == find(scale * unit_rows(500)).status


def test_columns_behind_the_prefix_are_left_out():
    """They may have another scale, the same scale, many scales, or two values each."""
    U, n = unit_rows(3000), 3000
    rng = np.random.default_rng(6)
    behind = (
        others(n, 20),
        others(n, 20, 0.7),
        others(n, 20) * np.exp(rng.standard_normal(20)),
        (rng.random((n, 9)) < 0.3).astype(float),
        standardize(unit_rows(n, 40, seed=7), 0.3),
    )
    for columns in behind:
        X = np.hstack([standardize(U), columns])
        geometry = find(X)

        assert ("restored", WIDTH) == (geometry.status, geometry.prefix)
        assert min_cosine(geometry, X, U) > 1 - 1e-9


def test_columns_without_content_are_left_out():
    """One is constant; another is standardized rounding noise, of which MiniLM has three columns."""
    U = unit_rows(3000)
    U[:, [3, 9]] = 0
    U /= np.linalg.norm(U, axis=1, keepdims=True)
    X = standardize(U)
    X[:, 3], X[:, 9] = 0.4, 0.7 * np.random.default_rng(8).standard_normal(3000)
    geometry = find(X)

    assert WIDTH - 2 == geometry.n_columns
    assert not {3, 9} & set(geometry.map.columns)
    assert (geometry.map.scale > 0).all()
    assert min_cosine(geometry, X, U) > 1 - 1e-9


def test_placeholders_do_not_hide_the_others():
    """Placeholders are zeros in place of an embedding, and a huge value."""
    U = unit_rows(3000)
    X = standardize(U)
    X[::300], X[7] = 0, 1e6
    geometry = find(X)
    is_sound = ~np.isin(np.arange(3000), [7, *range(0, 3000, 300)])

    assert min_cosine(geometry, X[is_sound], U[is_sound]) > 1 - 1e-9


def odd_tables():
    rng = np.random.default_rng(9)
    N = rng.standard_normal((3000, WIDTH))
    P = np.exp(N)
    angle = rng.random(3000) * 6
    U = rng.standard_normal((3000, 8)) @ rng.standard_normal((8, WIDTH))
    S = standardize(unit_rows(3000))
    C = unit_rows(3000, 200) @ np.linalg.qr(rng.standard_normal((200, 150)))[0]
    return {
        "normal": N,
        "positive": np.maximum(N, 0),
        "shares": standardize(P / P.sum(axis=1, keepdims=True)),
        "two values": standardize(N > 0),
        "a circle and others": np.hstack([np.c_[np.sin(angle), np.cos(angle)], N]),
        "few dimensions": standardize(U / np.linalg.norm(U, axis=1, keepdims=True)),
        "the same columns twice": np.hstack([S, S]),
        "some components": standardize(C),
        "lengths that vary by a fifth of a percent": standardize(
            unit_rows(3000) * (1 + 0.002 * N[:, :1])
        ),
        "columns before": np.hstack([others(3000, 10), S]),
        "constant": np.ones((300, WIDTH)) * np.arange(WIDTH),
        "narrow": standardize(unit_rows(300, 8)),
        "no rows": np.zeros((0, WIDTH)),
        "zeros": np.zeros((300, WIDTH)),
    }


@pytest.mark.parametrize("name", odd_tables())
def test_other_tables_are_unchanged(name):
    """This holds whatever other relation their columns have."""
    assert find(odd_tables()[name]).map is None


def test_wide_tables_are_not_examined():
    assert "too_wide" == find(standardize(unit_rows(20, 1600))).status


def test_summary_has_no_statistic_of_a_column():
    """It is JSON, with a number of figures that does not depend on the width."""
    geometry = find(standardize(unit_rows(500)))
    content = geometry.to_json()

    json.dumps(content, allow_nan=False)
    assert "map" not in content
    assert not [v for v in content.values() if isinstance(v, list) and len(v) > 2]


def test_bits_depend_on_the_seed_and_not_on_threads():
    rows = rows_of_embeddings(np.hstack([standardize(unit_rows(9000)), others(9000, 9)]))
    spec, bits = FeatureSpec(geometry="auto"), set()
    for n_threads in (1, 2):
        with threadpool_limits(limits=n_threads):
            geometry = detect_geometry(rows, spec, 0, LocalThreads(n_threads))
        bits.add(
            (
                geometry.model_dump_json(),
                geometry.map.scale.tobytes(),
                geometry.map.offset.tobytes(),
            )
        )

    assert 1 == len(bits)
    assert detect_geometry(rows, spec, 1, InTurn()) != geometry


def test_geometry_is_found_only_if_settings_need_it():
    """It is needed for models that use embeddings, unless `features.geometry` is `given`."""
    rows = rows_of_embeddings(standardize(unit_rows(300)))
    geometry = detect_geometry(rows, FeatureSpec(geometry="auto"), 0, InTurn())

    assert detect_geometry(rows, FeatureSpec(geometry="given"), 0, InTurn()) is None
    assert detect_geometry(rows, FeatureSpec(geometry="auto", use=("text",)), 0, InTurn()) is None
    assert detect_geometry(rows_of_texts(["a"]), FeatureSpec(geometry="auto"), 0, InTurn()) is None
    assert geometry is select_geometry(geometry, ("text", "embeddings"))
    assert select_geometry(geometry, ("text",)) is None
    assert select_geometry(None, ("embeddings",)) is None


def test_memory_estimate_covers_the_largest_arrays():
    """They are four matrices of the products of all terms."""
    assert geometry_bytes(384) > 4 * 8 * 769**2
    assert 0 == geometry_bytes(4096)


@pytest.mark.parametrize("noise", [1e-4, 1e-3])
def test_expected_cosine_error_is_correct_and_decides(noise, monkeypatch):
    """It is right within a factor of ten; above its bound, nothing is restored."""
    U = unit_rows(300)
    X = standardize(U) + noise * np.random.default_rng(10).standard_normal(U.shape)
    geometry = find(X)
    E = X @ np.diag(geometry.map.scale) + geometry.map.offset
    error = 1 - ((E / np.linalg.norm(E, axis=1, keepdims=True)) * U).sum(axis=1).mean()
    monkeypatch.setattr("job.stages.features.quadric.MAX_COSINE_ERROR", geometry.cosine_error / 2)

    assert error / 10 < geometry.cosine_error < error * 10
    assert ("not_found", None) == ((again := find(X)).status, again.map)
