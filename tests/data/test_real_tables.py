"""What the job reaches on real tables; figures with their commands are in docs/benchmarks.md."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.settings import OPEN

pytestmark = pytest.mark.data
ANY = ("--set", OPEN)


def test_upstream_has_no_leak(pcc_job, result_of, shared_data):
    def accuracy(salt):
        done = pcc_job(
            "run",
            "--dataset",
            shared_data / "upstream/curated_training_data.parquet",
            "--dry-run",
            "--set",
            "dataset.min_rows=1000",
            "--set",
            f"split.salt={salt}",
            "--set",
            "search.estimators={logistic_regression: {C: [10]}}",
            *ANY,
        )
        return result_of(done)["scores"]["accuracy"]

    # a run is mostly imports: two at a time keep two cores busy
    with ThreadPoolExecutor(2) as pool:
        accuracies = list(pool.map(accuracy, range(10)))

    assert 0.9 < sum(accuracies) / 10 < 0.999


def _official(pcc_job, result_of, folder, suffix, *arguments):
    done = pcc_job(
        "run",
        "--dataset",
        folder / f"{suffix[0]}",
        "--set",
        f"dataset.test_uri={folder / suffix[1]}",
        "--store",
        "m",
        "--set",
        "dataset.min_rows=1000",
        *arguments,
        *ANY,
    )
    return result_of(done)


def test_banking77_text(pcc_job, result_of, shared_data):
    result = _official(
        pcc_job,
        result_of,
        shared_data / "banking77",
        ("train.csv", "test.csv"),
        "--set",
        "features.use=[text]",
        "--set",
        "expectations.suite=labelled_text",
    )

    assert result["scores"]["accuracy"] >= 0.900


def test_banking77_embeddings(pcc_job, result_of, shared_data):
    result = _official(
        pcc_job,
        result_of,
        shared_data / "banking77",
        ("embedded_train.parquet", "embedded_test.parquet"),
        "--set",
        "dataset.columns.embeddings=embedding",
        "--set",
        "expectations.suite=labelled_embeddings",
    )

    assert result["scores"]["accuracy"] >= 0.915


def test_privacyqa_by_app(pcc_job, result_of, shared_data, tmp_path):
    result = _official(
        pcc_job,
        result_of,
        shared_data / "privacyqa",
        ("embedded_train.parquet", "embedded_test.parquet"),
        "--set",
        "dataset.columns.embeddings=embedding",
        "--set",
        "dataset.columns.group=group_id",
        "--set",
        "expectations.suite=labelled_embeddings",
        "--set",
        "search.metric=accuracy",
    )

    assert result["scores"]["accuracy"] >= 0.70
    evaluation = json.loads((tmp_path / "m" / result["version"] / "evaluation.json").read_text())
    assert evaluation["split"]["test_only_classes"] == ["audiences"]
