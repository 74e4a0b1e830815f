"""PCC as it finds and loads a model today: the greatest folder, flat, without a digest."""

import json

import joblib
import numpy as np
import pytest
from support.servers import client_of


@pytest.fixture
def load(minio, bucket, tmp_path):
    """Load like PCC; return its metadata, the folder that it took, and its model."""

    def call():
        client, folder = client_of(minio), tmp_path / "pcc"
        folder.mkdir(exist_ok=True)
        listed = client.list_objects_v2(Bucket=bucket, Prefix="pcc-models/v", Delimiter="/")
        newest = max(item["Prefix"] for item in listed["CommonPrefixes"])
        for item in client.list_objects_v2(Bucket=bucket, Prefix=newest)["Contents"]:
            name = item["Key"].rpartition("/")[2]
            client.download_file(bucket, item["Key"], str(folder / name))
        metadata = json.loads((folder / "metadata.json").read_text())
        names = ("model_version", "embedding_model", "classifier", "trained_on")
        found = {name: metadata[name] for name in names}
        return found, newest.split("/")[1], joblib.load(folder / "model.joblib")

    return call


@pytest.fixture
def run(job, quick, bucket):
    def call(run_id, *more, code=0):
        done = job(*quick(f"s3://{bucket}/pcc-models", "--run-id", run_id, *more))
        assert code == done.wait(), done.stderr
        return done.result["version"]

    return call


@pytest.fixture
def roll_back(job, bucket):
    def call(*arguments):
        done = job("models", "rollback", *arguments, "--store", f"s3://{bucket}/pcc-models")
        assert 0 == done.wait(), done.stderr
        return done.result["to"]

    return call


def test_newest_version_is_loaded_and_predicts_one_row(run, load):
    versions = [run("a"), run("b")]
    metadata, folder, model = load()
    X = np.zeros((1, 584))

    assert (versions[1], versions[1]) == (folder, metadata["model_version"])
    assert ((1,), (1, 4)) == (model.predict(X).shape, model.predict_proba(X).shape)


def test_rejected_candidate_is_not_met(run, load):
    version = run("a")
    run("b", "--set", "gate.floors={accuracy: 1.0}", code=6)

    assert version == load()[1]


def test_rollback_alone_does_not_reach_it(run, load, roll_back):
    """PCC does not know channels."""
    versions = [run("a"), run("b")]
    roll_back()

    assert versions[1] == load()[1]


def test_republished_rollback_reaches_it(run, load, roll_back):
    """PCC gets the older version's bytes under the newest name."""
    versions = [run("a"), run("b")]
    copy = roll_back("--republish")
    metadata, folder, _ = load()

    assert (copy, versions[0]) == (folder, metadata["model_version"])


def test_version_of_another_channel_reaches_it_too(run, load):
    """As the consumers' page says, experiments need a prefix of their own."""
    run("a")
    version = run("b", "--set", "publish.channel=staging")

    assert version == load()[1]
