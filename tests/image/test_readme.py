"""What the README says of containers works as it is typed."""

import re
import subprocess

import pytest
from support.containers import ROOT, docker


@pytest.fixture
def typed(image, folder, sample):
    """Run a marked block of the README in a shell, in a folder that has sample data."""
    docker("tag", image, "pcc-training-job")
    (folder / "data").mkdir()
    target = folder / "data/curated_training_data.parquet"
    target.write_bytes(sample.read_bytes())
    target.chmod(0o644)

    def call(marker, change=lambda text: text):
        text = (ROOT / "README.md").read_text()
        block = re.search(rf"<!-- {marker} -->\n```sh\n(.*?)```", text, re.DOTALL)
        assert block, f"the README has no block {marker}"
        script = f"set -euo pipefail\n{change(block[1])}"
        return subprocess.run(
            ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=600
        )

    yield call
    docker("rm", "--force", "--volumes", "minio", check=False)
    docker("network", "rm", "pcc", check=False)


def test_plain_docker_run_publishes_into_minio(typed):
    """The sample of the tests is smaller than the upstream promises; nothing else is changed."""
    done = typed("docker-minio", lambda text: text.rstrip() + " --set dataset.min_rows=100\n")

    assert 0 == done.returncode, done.stderr[-3000:]
    assert '"outcome": "published"' in done.stdout
