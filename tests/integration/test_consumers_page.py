"""The lines of docs/consumers.md, run unchanged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.servers import client_of

PAGE = Path(__file__).parents[2] / "docs/consumers.md"


@pytest.fixture
def lines():
    return PAGE.read_text().partition("```python\n")[2].partition("```")[0]


@pytest.fixture
def consume(job, quick, minio, bucket, lines, tmp_path):
    """Publish a version, and run the page's lines in an interpreter without this package."""
    run = job(*quick(f"s3://{bucket}/pcc-models"))
    assert run.wait() == 0, run.stderr

    def call():
        script = tmp_path / "consumer.py"
        script.write_text(
            lines + "\nimport numpy\nprint(version, model.predict(numpy.zeros((1, 584))))\n"
            "assert not [name for name in __import__('sys').modules if name.startswith('job.')]\n"
        )
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))}
        names = {"MODEL_BUCKET": bucket, "MODEL_PREFIX": "pcc-models"}
        return subprocess.run(
            [sys.executable, script],
            env={**clean, **minio.environment, **names},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    call.version = run.result["version"]
    return call


def test_lines_of_the_page_load_the_champion(consume):
    done = consume()

    assert (0, consume.version) == (done.returncode, done.stdout.split()[0]), done.stderr


def test_lines_of_the_page_refuse_changed_bytes(consume, minio, bucket):
    key = f"pcc-models/{consume.version}/model.joblib"
    client_of(minio).put_object(Bucket=bucket, Key=key, Body=b"evil")
    done = consume()

    assert (1, True) == (done.returncode, "is not what was published" in done.stderr)


def test_lines_are_about_twenty(lines):
    assert len([line for line in lines.splitlines() if line.strip()]) <= 22
