"""What an installed command needs, and which libraries it loads only when they are needed."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("pandas", "sklearn", "pyarrow", "great_expectations", "jinja2", "boto3")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["run", "--help"], ["run", "--set", "x.y=1"], ["config", "show"]],
)
def test_light_commands_import_nothing_heavy(arguments, tmp_path):
    """Help, version and configuration errors appear without delay."""
    assert "[]" == run_listing_imports(arguments, tmp_path).stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "key", "scheme"),
    [
        (["run", "--dataset", "gs://bucket/table.csv"], "dataset.uri", "gs"),
        (["validate", "--dataset", "https://host/table.csv"], "dataset.uri", "https"),
        (["run", "--set", "dataset.test_uri=az://bucket/test.csv"], "dataset.test_uri", "az"),
        (["run", "--set", "expectations.suite=http://h/s.json"], "expectations.suite", "http"),
        (["run", "--store", "gs://bucket/models"], "store.uri", "gs"),
        (["models", "list", "--store", "ABFSS://bucket"], "store.uri", "ABFSS"),
    ],
)
def test_scheme_that_is_not_read_is_refused_at_once(arguments, key, scheme, tmp_path):
    """The message names the supported schemes; no data library is loaded, no folder created."""
    done = run_listing_imports(arguments, tmp_path)
    *_, line, imported = done.stderr.splitlines()
    reason = json.loads(line)["reason"]

    assert (2, "[]", []) == (done.returncode, imported, list(tmp_path.iterdir()))
    assert key in reason
    assert f"unsupported URI scheme '{scheme}'" in reason
    assert "expected a path, or a URI that starts with file:// or s3://" in reason


def run_listing_imports(arguments, folder):
    """Run the command line; the last line of its stderr lists the heavy packages it imported."""
    code = (
        "import sys; sys.argv = ['pcc-job', *sys.argv[1:]]\n"
        "from job.cli import main\n"
        "try: main()\n"
        f"finally: print([n for n in {HEAVY} if n in sys.modules], file=sys.stderr)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_wheel_carries_the_suites_and_finds_them_from_any_folder(tmp_path, sample):
    """Installed without the checkout, `validate` finds its suite by name."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "job",
            "validate",
            "--dataset",
            sample,
            "--set",
            "dataset.min_rows=9",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )

    assert 0 == done.returncode, done.stderr
    assert (tmp_path / "site/job/expectations/curated_training_data.json").exists()
