"""The commands of docs/kubernetes.md work as printed."""

import os
import subprocess

import pytest
import yaml
from support.containers import ROOT
from support.kubernetes import ACCESS_KEY, SECRET_KEY, call
from support.markdown import read_block

PAGE = "docs/kubernetes.md"


@pytest.fixture
def namespace_pcc(cluster):
    yield "pcc"
    call("kubectl", "delete", "namespace", "pcc", "--ignore-not-found", check=False)


@pytest.fixture
def type_the_page(namespace, bucket, namespace_pcc, tmp_path):
    """Run the block; only the image, the store's address and the table's size are changed."""

    def run(min_rows):
        bucket.clear(
            "models/"
        )  # the page makes a new lineage key, which must be the store's only one
        values = yaml.safe_load(read_block(PAGE, "kubernetes-values", "yaml"))
        values["image"] = {
            "repository": "pcc-training-job",
            "tag": "cluster",
            "pullPolicy": "IfNotPresent",
        }
        values["config"]["s3"]["endpoint_url"] = f"http://minio.{namespace.name}:9000"
        values["config"]["dataset"]["min_rows"] = min_rows
        values["resources"] = {"requests": {"cpu": "100m", "memory": "1Gi"}}
        (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
        (tmp_path / "charts").symlink_to(ROOT / "charts")
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        return subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{read_block(PAGE, 'kubernetes', 'sh')}"],
            cwd=tmp_path,
            env={**os.environ, **keys},
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


@pytest.mark.parametrize(
    ("min_rows", "condition", "message"),
    [
        (500, "Complete ", '0 {"outcome": "published"'),
        (5000, "Failed PodFailurePolicy ", '4 {"outcome": "failed"'),
    ],
    ids=["published", "failed"],
)
def test_operator_installs_starts_a_run_and_reads_its_result(
    type_the_page, min_rows, condition, message
):
    """The commands end whether the run succeeds or fails, and show which it was, and why."""
    done = type_the_page(min_rows)
    lines = done.stdout.splitlines()

    assert 0 == done.returncode, done.stdout[-5000:] + done.stderr[-3000:]
    assert '"is_fit": true' in done.stdout
    assert [condition] == [condition for line in lines if line.startswith(condition)]
    assert [message] == [message for line in lines if line.startswith(message)]
