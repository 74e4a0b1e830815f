"""What an installed command needs, and what it leaves alone until it needs it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("pandas", "sklearn", "pyarrow", "great_expectations", "jinja2")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["run", "--help"], ["run", "--set", "x.y=1"], ["config", "show"]],
)
def test_light_commands_import_nothing_heavy(arguments, tmp_path):
    """Help, version and configuration errors come at once."""
    code = (
        "import sys; sys.argv = ['pcc-job', *sys.argv[1:]]\n"
        "from job.cli import main\n"
        "try: main()\n"
        f"finally: print([n for n in {HEAVY} if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert "[]" == done.stderr.splitlines()[-1]


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
