"""Rows of length 1 are restored from real tables: the upstream's, and similarly scaled ones."""

import numpy as np
import pandas as pd
import pytest

from job.adapters.executors.local import LocalThreads
from job.contracts.matrix_rows import MatrixRows
from job.stages.features.geometry import find_geometry

pytestmark = pytest.mark.data
TABLES = {
    "banking77": "banking77/embedded_train.parquet",
    "privacyqa": "privacyqa/embedded_train.parquet",
}
UPSTREAM = "upstream/curated_training_data_10000.parquet"


@pytest.fixture(scope="module", params=TABLES)
def table(request, shared_data):
    """Return embeddings of length 1, and the classes."""
    found = pd.read_parquet(shared_data / TABLES[request.param])
    U = np.stack(found["embedding"]).astype(float)
    return request.param, U / np.linalg.norm(U, axis=1, keepdims=True), found["intent"].to_numpy()


def standardize(U, scale=0.7):
    return (U - U.mean(axis=0)) / U.std(axis=0) * scale


def find(X):
    X = np.ascontiguousarray(X, np.float32)
    with LocalThreads(1).pool():  # as in a run: one BLAS thread
        return find_geometry(MatrixRows(X, np.arange(len(X))), 0)


def restore(found, X):
    return np.asarray(X)[:, found.map.columns] * found.map.scale + found.map.offset


def least_cosine(found, X, U):
    E = restore(found, X)
    return ((E * U[:, found.map.columns]).sum(axis=1) / np.linalg.norm(E, axis=1)).min()


def test_embeddings_as_they_are_made_are_left_alone(table):
    _, U, _ = table

    assert "one_length" == find(U).status


def test_standardized_embeddings_are_restored(table):
    """They are alone or followed by other columns, in single or half precision."""
    _, U, _ = table
    X, rng = standardize(U), np.random.default_rng(0)
    behind = standardize(rng.standard_t(5, (len(U), 200)), 0.3)
    for some in (X, X.astype(np.float16), np.hstack([X, behind])):
        found = find(some)

        assert ("restored", 384) == (found.status, found.prefix)
        assert least_cosine(found, some, U) > 0.9999


def test_batch_of_another_class_mix_is_restored_by_itself(table):
    """Most of the batch's rows are of a few classes."""
    name, U, y = table
    sizes = pd.Series(y).value_counts()
    some = np.isin(y, sizes.index[: 2 if name == "privacyqa" else 20])
    some |= np.random.default_rng(1).random(len(y)) < 0.25
    X = standardize(U[some])
    found = find(X)

    assert found.map is None or least_cosine(found, X, U[some]) > 0.9999
    assert found.map is not None or found.n_distinct_rows < 860


@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2, 0.1])
def test_noise_is_never_restored_wrongly(table, noise):
    """Noise is in units of a column's deviation; with more noise, less can be restored."""
    _, U, _ = table
    X = standardize(U) + 0.7 * noise * np.random.default_rng(2).standard_normal(U.shape)
    found = find(X)

    assert noise > 1e-4 or found.map is not None
    assert found.map is None or least_cosine(found, X, U) >= 0.999


@pytest.mark.parametrize("n", [700, 900])
def test_few_rows_are_restored_or_left_alone(table, n):
    """A prefix of 384 columns has 769 unknowns."""
    _, U, _ = table
    U = U[np.random.default_rng(3).permutation(len(U))[:n]]
    X = standardize(U)
    found = find(X)

    assert found.status == "too_few_rows" or least_cosine(found, X, U) >= 0.999


@pytest.mark.parametrize("n_components", [300, 350])
def test_principal_components_are_never_restored_wrongly(table, n_components):
    """Without some components, rows have nearly one length, but not exactly."""
    _, U, _ = table
    axes = np.linalg.svd(U - U.mean(axis=0), full_matrices=False)[2][:n_components]
    V = U @ axes.T
    X = (U - U.mean(axis=0)) @ axes.T
    found = find(X)
    V /= np.linalg.norm(V, axis=1, keepdims=True)

    assert found.map is None or least_cosine(found, X, V) >= 0.999


def test_upstream_table_is_restored_for_requests_it_has_not(shared_data):
    """With the table's scalers they also have length 1; with another day's, nearly."""
    X = np.stack(pd.read_parquet(shared_data / UPSTREAM)["embeddings"])
    challenge = pd.read_parquet(shared_data / "upstream/challenge.parquet")
    found = find(X)
    own, others = (
        restore(found, np.stack(challenge[name])) for name in ("embeddings", "embeddings_in_batch")
    )
    lengths = [np.linalg.norm(E, axis=1) for E in (own, others)]

    assert ("restored", 384, 381) == (found.status, found.prefix, found.n_columns)
    assert np.abs(lengths[0] - 1).max() < 1e-5
    assert np.abs(lengths[1] - 1).max() < 0.02
    assert ((own * others).sum(axis=1) / lengths[0] / lengths[1]).min() > 0.999


def test_small_upstream_table_has_too_few_texts(shared_data):
    X = np.stack(pd.read_parquet(shared_data / UPSTREAM.replace("_10000", ""))["embeddings"])

    assert "too_few_rows" == find(X).status
