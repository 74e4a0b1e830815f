"""Fixtures of all tests: the command line as a process, and a small synthetic table."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.processes import run_command
from support.requirements import skip_without
from support.settings import OPEN

from job.samples import write_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "curated.parquet"
    write_sample(path, n_rows=900, seed=3, is_csv=False, projection_seed=3)
    return path


@pytest.fixture(scope="session")
def table(sample):
    return pq.read_table(sample)


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("PCC_JOB_")}


@pytest.fixture
def pcc_job(tmp_path):
    """Run the command line in a separate process, in an empty folder.

    The process is forked from one that has loaded the packages, which takes most of a short run.
    """

    def run(*arguments, **environment):
        return run_command(arguments, tmp_path, {**clean_environment(), **environment})

    return run


@pytest.fixture
def cold_job(tmp_path):
    """Run the command line as users do, in a process that loads all packages itself."""

    def run(*arguments, **environment):
        path = {"PYTHONPATH": str(Path(__file__).parent.parent)}
        return subprocess.run(
            [sys.executable, "-m", "job", *map(str, arguments)],
            cwd=tmp_path,
            env={**clean_environment(), **path, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture
def train(pcc_job, tmp_path):
    """Train with settings that suit the small sample."""
    return partial(train_with, pcc_job, tmp_path)


@pytest.fixture
def train_cold(cold_job, tmp_path):
    """Train like `train`, in a process that loads all packages itself."""
    return partial(train_with, cold_job, tmp_path)


def train_with(command, folder, dataset, *arguments, store=None, **environment):
    settings = (
        "dataset.min_rows=100",
        OPEN,
        "search.estimators={logistic_regression: {C: [10]}}",
    )
    options = [part for setting in settings for part in ("--set", setting)]
    where = ("--dataset", dataset, "--store", store or folder / "models")
    return command("run", *where, *options, *arguments, **environment)


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
