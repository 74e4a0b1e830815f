"""The image that the Dockerfile builds, and containers started as a user starts them."""

import json

import pytest
from support.containers import HARDENED, docker
from support.settings import OPEN

TAG = "pcc-training-job:test"


@pytest.fixture(scope="session")
def image(docker_engine):
    docker("build", "--quiet", "--tag", TAG, "--build-arg", "REVISION=abc123", ".")
    return TAG


@pytest.fixture(scope="session")
def facts(image):
    """Return the engine's description of the image."""
    return json.loads(docker("image", "inspect", image).stdout)[0]


@pytest.fixture
def folder(tmp_path):
    """Return a folder that the job's user can write to."""
    tmp_path.chmod(0o777)
    return tmp_path


@pytest.fixture
def run(image, folder):
    """Run the job in a container with the test's own folder at /out."""

    def start(*arguments, options=HARDENED, check=False):
        mount = ("--volume", f"{folder}:/out")
        return docker("run", "--rm", *mount, *options, image, *arguments, check=check)

    return start


@pytest.fixture
def inside(image):
    """Run Python in the image instead of its entry point; return its output, parsed as JSON."""

    def call(code, *options, tag=image):
        done = docker("run", "--rm", "--entrypoint", "python", *options, tag, "-c", code)
        return json.loads(done.stdout)

    return call


@pytest.fixture
def small(run):
    """Create a small table at /out/small.parquet, and return the arguments of a run on it."""
    run("sample-data", "/out/small.parquet", "--rows", "400", check=True)

    def arguments(*more):
        return (
            *("run", "--dataset", "/out/small.parquet", "--store", "/out/models"),
            *("--set", "dataset.min_rows=100", "--set", OPEN, *more),
        )

    return arguments
