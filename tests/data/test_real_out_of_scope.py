"""Texts of other tables as out-of-scope requests."""

import json

import numpy as np
import pandas as pd
import pytest
from support.settings import OPEN

from job.adapters.executors.local import LocalThreads
from job.contracts.matrix_rows import MatrixRows
from job.stages.features.geometry import find_geometry

pytestmark = pytest.mark.data
COMMON = ("evaluation.label_noise=false", "evaluation.slices=[]", OPEN)


@pytest.fixture
def run(pcc_job, result_of, tmp_path):
    """Publish a version, and read its results on out-of-scope requests."""

    def start(table, requests, *settings):
        requests.to_parquet(tmp_path / "requests.parquet")
        values = ("evaluation.out_of_scope_uri=requests.parquet", *COMMON, *settings)
        options = [word for value in values for word in ("--set", value)]
        done = pcc_job("run", "--dataset", table, "--store", "models", *options)
        version = tmp_path / "models" / result_of(done)["version"]
        return json.loads((version / "evaluation.json").read_text())["out_of_scope"]

    return start


def read_rows_of_length_1(path):
    X = np.stack(pd.read_parquet(path)["embedding"]).astype(float)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def test_table_of_templates_answers_everything(run, shared_data):
    """Bank requests in the upstream's columns: `other` is predicted for most, not for all."""
    path = shared_data / "upstream/curated_training_data_10000.parquet"
    X = np.stack(pd.read_parquet(path)["embeddings"]).astype(np.float32)
    with LocalThreads(1).pool():
        found = find_geometry(MatrixRows(X, np.arange(len(X))), 42).map
    U = read_rows_of_length_1(shared_data / "banking77/embedded_test.parquet")
    E = np.zeros((len(U), X.shape[1]))
    E[:, found.columns] = (U[:, found.columns] - found.offset) / found.scale
    part = run(
        path,
        pd.DataFrame({"embeddings": list(E)}),
        "search.estimators={prototypes: {n_centers: [20], temperature: [0.1]}}",
    )
    requests = part["requests"]

    assert part["threshold"] is None
    assert 3080 == requests["n_rows"] == requests["n_answered"]
    assert 0.4 < requests["predicted"]["other"] / 3080 < 0.9
    assert requests["median_confidence"] > 0.6


def test_threshold_of_banking77_answers_some_requests_about_apps(run, shared_data):
    """The share is lower than for its own test rows, and higher than the tolerated error."""
    part = run(
        shared_data / "banking77/embedded_train.parquet",
        pd.read_parquet(shared_data / "privacyqa/embedded_test.parquet"),
        f"dataset.test_uri={shared_data / 'banking77/embedded_test.parquet'}",
        "dataset.columns.embeddings=embedding",
        "expectations.suite=labelled_embeddings",
        "search.estimators={logistic_regression: {C: [10]}}",
    )
    answered = part["requests"]["answered"]

    assert 0.5 < part["threshold"] < 0.8
    assert 0.05 < answered["lower"] < answered["upper"] < 0.5
    assert not part["empty"]["is_answered"]
