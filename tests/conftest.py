"""Fixtures that all tests share: the real process, and a small synthetic table."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.requirements import skip_without
from support.settings import OPEN

from job.samples import write_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "curated.parquet"
    write_sample(path, n_rows=900, seed=3, is_csv=False)
    return path


@pytest.fixture(scope="session")
def table(sample):
    return pq.read_table(sample)


@pytest.fixture
def pcc_job(tmp_path):
    """Run the command line in a process of its own, in an empty folder."""

    def run(*arguments, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PCC_JOB_")}
        return subprocess.run(
            [sys.executable, "-m", "job", *map(str, arguments)],
            cwd=tmp_path,
            env={**clean, "PYTHONPATH": str(Path(__file__).parent.parent), **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture
def train(pcc_job, tmp_path):
    """Train with settings that suit the small sample."""

    def run(dataset, *arguments, store=None, **environment):
        return pcc_job(
            "run",
            "--dataset",
            dataset,
            "--store",
            store or tmp_path / "models",
            "--set",
            "dataset.min_rows=100",
            "--set",
            OPEN,
            "--set",
            "search.estimators={logistic_regression: {C: [10]}}",
            *arguments,
            **environment,
        )

    return run


@pytest.fixture(scope="session")
def shared_data():
    folder = os.environ.get("PCC_TEST_DATA")
    if not folder:
        pytest.skip("PCC_TEST_DATA does not name the folder of real tables")
    return Path(folder)


@pytest.fixture
def result_of():
    def parse(done):
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return parse


@pytest.fixture(scope="session")
def docker_engine():
    import docker

    try:
        docker.from_env().ping()
    except docker.errors.DockerException as error:
        skip_without("docker", f"there is no Docker here: {error}")
