"""The README's commands for operators work as they are typed."""

import os
import re
import subprocess

import pytest
import yaml
from support.containers import ROOT
from support.kubernetes import ACCESS_KEY, SECRET_KEY, call


def block(marker, language):
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"<!-- {marker} -->\n```{language}\n(.*?)```", text, re.DOTALL)
    assert found, f"the README has no block {marker}"
    return found[1]


@pytest.fixture
def namespace_pcc(cluster):
    yield "pcc"
    call("kubectl", "delete", "namespace", "pcc", "--ignore-not-found", check=False)


def test_operator_installs_starts_a_run_and_reads_its_result(
    namespace, bucket, namespace_pcc, tmp_path
):
    """Changed are only the image, where the test's store is, and the size of its table."""
    values = yaml.safe_load(block("kubernetes-values", "yaml"))
    values["image"] = {
        "repository": "pcc-training-job",
        "tag": "cluster",
        "pullPolicy": "IfNotPresent",
    }
    values["config"]["s3"]["endpoint_url"] = f"http://minio.{namespace.name}:9000"
    values["config"]["dataset"]["min_rows"] = 500
    values["resources"] = {"requests": {"cpu": "100m", "memory": "1Gi"}}
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    (tmp_path / "charts").symlink_to(ROOT / "charts")
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{block('kubernetes', 'sh')}"],
        cwd=tmp_path,
        env={**os.environ, **keys},
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert 0 == done.returncode, done.stderr[-3000:]
    assert '"is_fit": true' in done.stdout
    assert re.search(r'^0 \{"outcome": "published"', done.stdout, re.MULTILINE)
