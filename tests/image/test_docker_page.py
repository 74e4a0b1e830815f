"""The commands of docs/docker.md work as they are typed."""

import subprocess

import pytest
from support.containers import docker
from support.markdown import read_block


@pytest.fixture
def typed(image, folder):
    """Run a marked block of the page in a shell, in an empty folder.

    What it starts has the names that a reader of the page may have in use: then it is not run.
    """
    taken = docker("ps", "--all", "--quiet", "--filter", "name=^minio$").stdout
    taken += docker("network", "ls", "--quiet", "--filter", "name=^pcc$").stdout
    assert not taken, "there is a container 'minio' or a network 'pcc' already: remove it first"
    before = docker("image", "inspect", "pcc-training-job", "--format", "{{.Id}}", check=False)
    docker("tag", image, "pcc-training-job")

    def call(marker, change=lambda text: text):
        script = f"set -euo pipefail\n{change(read_block('docs/docker.md', marker, 'sh'))}"
        return subprocess.run(
            ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=600
        )

    yield call
    docker("rm", "--force", "--volumes", "minio", check=False)
    docker("network", "rm", "pcc", check=False)
    if before.returncode == 0:
        docker("tag", before.stdout.strip(), "pcc-training-job")


def without_build(text):
    """The image is that of the test."""
    assert "make image\n" in text
    return text.replace("make image\n", "")


def test_local_docker_run_publishes_into_a_folder(typed, folder):
    done = typed("docker-local", without_build)

    assert 0 == done.returncode, done.stderr[-3000:]
    assert 1 == len(list((folder / "models").glob("v*/manifest.json")))


def test_mounted_lineage_key_is_not_stored(typed, folder):
    """The key is a file that only its owner can read, and the store has digests but no key."""
    local = typed("docker-local", lambda text: without_build(text).rpartition("docker run")[0])
    done = typed("docker-lineage")

    assert (0, 0) == (local.returncode, done.returncode), done.stderr[-3000:]
    assert 0o600 == (folder / "lineage.key").stat().st_mode & 0o777
    assert 1 == len(list((folder / "models/lineage").glob("v*.npy")))
    assert not (folder / "models/lineage/key").exists()


def test_plain_docker_run_publishes_into_minio(typed):
    local = typed("docker-local", lambda text: without_build(text).rpartition("docker run")[0])
    done = typed("docker-minio")

    assert (0, 0) == (local.returncode, done.returncode), done.stderr[-3000:]
    assert '"outcome": "published"' in done.stdout
