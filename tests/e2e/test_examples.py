"""The commands of `examples/` work as they are typed, on the tables that `tables.py` writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.markdown import ROOT, read_block

from job.contracts.settings.job_settings import JobSettings

EXAMPLES = ROOT / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/job.yaml"))
KINDS = {
    "upstream": "embeddings",
    "plain-texts": "text",
    "embeddings": "embeddings",
    "official-test": "text",
}


@pytest.fixture(scope="session")
def typed(tmp_path_factory):
    """Type commands into a shell, in a folder with the examples and their tables."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "examples").symlink_to(EXAMPLES)
    programs = folder / "bin"
    programs.mkdir()
    for name, words in {"pcc-job": "-m job", "python": ""}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (programs / name).chmod(0o755)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PCC_JOB_")}
    environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def run(script):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert 0 == done.returncode, done.stderr[-3000:]
        return done.stdout

    run(read_block("examples/README.md", "tables", "sh"))
    run.folder = folder
    return run


@pytest.mark.parametrize("name", KINDS)
def test_example_publishes_a_model(name, typed):
    """With the gate's own floors; the model takes what the table has."""
    printed = typed(read_block(f"examples/{name}/README.md", "example", "sh"))
    result = json.loads(printed.splitlines()[-1])
    version = typed.folder / "models" / name / result["version"]
    metadata = json.loads((version / "metadata.json").read_text())
    evaluation = json.loads((version / "evaluation.json").read_text())

    assert "published" == result["outcome"]
    assert KINDS[name] == metadata["input"]["kind"]
    is_official = name == "official-test"
    assert is_official == (evaluation["method"] == "official_test")
    assert not is_official or 200 == evaluation["n_test"]


def test_each_example_is_tested():
    """S3 needs a service: tests/integration/test_examples.py runs it."""
    assert sorted([*KINDS, "s3"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_only_what_differs_from_the_defaults_is_set(name):
    """Otherwise a reader would take a default for a decision."""
    given = yaml.safe_load((EXAMPLES / name / "job.yaml").read_text())
    defaults = JobSettings().model_dump(mode="json")

    assert [] == list(find_equal(given, defaults))


def find_equal(given, defaults, path=""):
    """Yield the keys whose value is the default."""
    for key, value in given.items():
        if isinstance(value, dict):
            yield from find_equal(value, defaults[key], f"{path}{key}.")
        elif value == defaults[key]:
            yield path + key


@pytest.mark.parametrize("name", NAMES)
def test_settings_have_comments_and_are_in_the_index(name):
    text = (EXAMPLES / name / "job.yaml").read_text()

    assert text.startswith("# ")
    assert f"({name}/job.yaml)" in (EXAMPLES / "README.md").read_text()
    assert Path(EXAMPLES / name / "README.md").read_text().count("\n") <= 15
