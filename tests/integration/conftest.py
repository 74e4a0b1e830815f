"""Servers for the complete session; a bucket and a fast job for each test."""

import itertools
import os
import uuid

import pytest
from support.policies import grant, read_policy
from support.processes import JobProcess
from support.servers import KINDS, SECRET_KEY, client_of, connection_of, copy_objects, running
from support.settings import OPEN

from job.adapters.stores.s3 import S3Store
from job.contracts.settings.store import StoreSpec
from job.samples import write_sample

# the fixtures stop the servers that they start
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")


@pytest.fixture(scope="session")
def servers(docker_engine, tmp_path_factory):
    """Return a server by kind; it is started when it is first requested."""
    import contextlib

    with contextlib.ExitStack() as stack:
        started = {}

        def get(kind):
            if kind not in started:
                folder = tmp_path_factory.mktemp(kind)
                started[kind] = stack.enter_context(running(kind, folder))
            return started[kind]

        yield get


@pytest.fixture(params=KINDS)
def any_server(request, servers):
    return servers(request.param)


@pytest.fixture(scope="session")
def minio(servers):
    return servers("minio")


@pytest.fixture
def bucket(minio):
    """Create a bucket on MinIO for this test."""
    name = f"b-{uuid.uuid4().hex[:12]}"
    client_of(minio).create_bucket(Bucket=name)
    return name


@pytest.fixture
def open_store(minio, monkeypatch):
    """Open a MinIO bucket in this process, like readers do."""
    for name, value in minio.credentials.items():
        monkeypatch.setenv(name, value)
    return lambda bucket: S3Store(connection_of(minio), StoreSpec(uri=f"s3://{bucket}/p"))


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "curated.parquet"
    write_sample(path, n_rows=200, seed=5, is_csv=False)
    return path


@pytest.fixture
def job(minio, tmp_path):
    """Run the command line in a separate process with MinIO's address and credentials."""
    number = itertools.count()

    def start(*arguments, environment=minio.environment):
        return JobProcess(arguments, environment, tmp_path / f"process-{next(number)}")

    return start


@pytest.fixture(scope="session")
def quick(small):
    """Return the arguments of a run that takes seconds; the store does not depend on its content."""
    least = (
        "dataset.min_rows=50",
        OPEN,
        "gate.margin=1.0",
        "expectations.suite=labelled_embeddings",
        "search={estimators: {dummy: {}}, folds: 2}",
        "evaluation={label_noise: false, slices: [], resamples: 1000}",
        "decision.target_precision=null",
    )
    settings = [part for setting in least for part in ("--set", setting)]

    def arguments(store, *more, dataset=small):
        return ("run", "--dataset", dataset, "--store", store, *settings, *more)

    return arguments


@pytest.fixture(scope="session")
def two_versions(minio, quick, tmp_path_factory):
    """Publish two versions below `models` with the job's policy; return the bucket and the names."""
    bucket, folder = f"b-{uuid.uuid4().hex[:12]}", tmp_path_factory.mktemp("two-versions")
    client_of(minio).create_bucket(Bucket=bucket)
    environment = grant(minio, read_policy("job", bucket, "models"), folder)
    versions = []
    for name in ("first", "second"):
        arguments = quick(f"s3://{bucket}/models", "--run-id", name)
        run = JobProcess(arguments, environment, folder / name)
        assert 0 == run.wait(), run.stderr
        versions.append(run.result["version"])
    return bucket, versions


@pytest.fixture
def published(two_versions, minio, bucket):
    """Copy the store with two versions to this test's bucket; return the versions' names."""
    template, versions = two_versions
    copy_objects(client_of(minio), template, bucket)
    return versions


@pytest.fixture(autouse=True)
def no_secret_in_any_stream(tmp_path):
    """Check that no stream of any process contains a secret that was given to it."""
    yield
    for path in tmp_path.glob("process-*/std*"):
        assert SECRET_KEY not in path.read_text(), f"{path.name} shows a secret"
