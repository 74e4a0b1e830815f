"""The commands of the README, and what it shows of a run, work as they are typed."""

import json
import os
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from support.markdown import ROOT, read_block

from scripts.renew_readme import format_output

VERSION = re.compile(r"v\d{8}_\d{6}_[0-9a-f]{8}")
RUN_ID = re.compile(r"[0-9a-f]{32}")
# a small table has little power, and a small search is quick
QUICK = {
    "PCC_JOB_DATASET__MIN_ROWS": "100",
    **{
        f"PCC_JOB_GATE__FLOORS__{name}": "null"
        for name in ("ACCURACY", "PRECISION_MACRO", "RECALL_MACRO", "F1_MACRO")
    },
    "PCC_JOB_GATE__MARGIN": "0.5",
    "PCC_JOB_SEARCH__ESTIMATORS": "{logistic_regression: {C: [10]}}",
}


@pytest.fixture
def typed(tmp_path):
    """Type commands into a shell in an empty folder; `pcc-job` is a process of its own."""
    command = tmp_path / "bin/pcc-job"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m job "$@"\n')
    command.chmod(0o755)
    # a make that runs the tests would let this one print the folders that it enters
    own = ("PCC_JOB_", "MAKE", "MFLAGS")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    path = {"PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def run(script, **settings):
        return subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{script}"],
            cwd=tmp_path,
            env={**inherited, **path, **settings},
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


def masked(value):
    """Replace what differs from run to run: ids, and each number that is a measurement."""
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, str):
        return RUN_ID.sub("<run_id>", VERSION.sub("<version>", value))
    return "number" if isinstance(value, float) else value


@pytest.fixture
def make(tmp_path):
    """Return a `make` whose environment is that of the tests, so that none is made first."""
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python").chmod(0o755)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    (tmp_path / "job").symlink_to(ROOT / "job")
    (tmp_path / "expectations").symlink_to(ROOT / "expectations")
    return f"make -f '{ROOT}/Makefile' -o .venv/.runtime"


def test_make_run_prints_what_the_readme_shows(typed, make, tmp_path):
    """The recipes of `make run` and of its next commands, in a folder of its own."""
    done = typed(f"{make} run")
    assert 0 == done.returncode, done.stderr[-3000:]

    shown = json.loads(read_block("README.md", "run-output", "json"))
    printed = json.loads(format_output(done.stdout))
    assert masked(shown) == masked(printed)
    assert pytest.approx(printed["scores"], abs=0.02) == shown["scores"]
    assert f"report: ./models/{printed['version']}/report.html" in done.stderr
    assert (tmp_path / "models" / printed["version"] / "report.html").is_file()
    commands = re.findall(r"^next: (.*)", done.stderr, re.MULTILINE)
    assert ". .venv/bin/activate" in commands and "make rerun" in commands
    script = "\n".join(command.replace("make ", f"{make} ") for command in commands)
    script = f"rm bin/pcc-job\n{script}\ncommand -v pcc-job"
    # a quick search: what the second run searches is not the point
    quick = {"PCC_JOB_SEARCH__ESTIMATORS": QUICK["PCC_JOB_SEARCH__ESTIMATORS"]}
    done = typed(script, PYTHONPATH="", **quick)
    assert 0 == done.returncode, done.stderr[-3000:]
    listed, rerun, found = done.stdout.splitlines()
    assert [printed["version"]] == [v["version"] for v in json.loads(listed)["versions"]]
    assert "published" == json.loads(rerun)["outcome"]
    assert f"{tmp_path}/.venv/bin/pcc-job" == found
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    (compared,) = (event for event in events if event.get("role") == "champion")
    assert ("version_compared", printed["version"]) == (compared["event"], compared["version"])


@pytest.mark.parametrize("first", ["run", "test"])
def test_environments_of_make_run_and_make_test_follow_each_other(first, typed, tmp_path):
    """In either order, each is made once, and the second call of `make run` installs nothing."""
    stamps = {"run": ".venv/.runtime", "test": ".venv/.dev"}
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    made = [stamps[first], ".venv/bin/pcc-job", *([".venv/.runtime"] if first == "test" else [])]
    for name in made:
        (tmp_path / name).touch()
    plans = {target: typed(f"make -n -f '{ROOT}/Makefile' {target}").stdout for target in stamps}

    assert "pip install" not in plans["run"] and "printf '#!/bin/sh" not in plans["run"]
    assert ("pip install" in plans["test"]) == (first == "run")


def test_make_test_runs_everything_that_needs_no_service(typed):
    make = f"make -n -f '{ROOT}/Makefile' -o .venv/.dev BIN=bin"
    done = typed(f"{make} test")

    assert "bin/python -m pytest tests/unit tests/e2e tests/data" in done.stdout


def test_commands_for_own_data_work_in_their_order(typed, sample, tmp_path):
    """They are typed on the second night, because a rollback needs two versions."""
    shutil.copy(sample, tmp_path / "curated.parquet")
    first = typed("pcc-job run --dataset curated.parquet", **QUICK)
    assert 0 == first.returncode, first.stderr[-3000:]

    done = typed(read_block("README.md", "own-data", "sh"), **QUICK)

    assert 0 == done.returncode, done.stderr[-3000:]
    (fetched,) = (tmp_path / "out").iterdir()
    assert (fetched / "manifest.json").is_file()
    assert max((tmp_path / "models").glob("v*")).name == fetched.name


def test_table_with_other_columns_needs_no_settings(typed, sample, tmp_path):
    """The commands for a table of texts and labels publish a model of texts."""
    table = pd.read_parquet(sample)[["text", "intent"]]
    table = table.rename(columns={"text": "comment", "intent": "category"})
    table.to_csv(tmp_path / "train.csv", index=False)
    quick = {"PCC_JOB_SEARCH__ESTIMATORS": QUICK["PCC_JOB_SEARCH__ESTIMATORS"]}

    done = typed(read_block("docs/commands.md", "other-table", "sh"), **quick)

    assert 0 == done.returncode, done.stderr[-3000:]
    (version,) = (tmp_path / "models").glob("v*")
    assert "text" == json.loads((version / "metadata.json").read_text())["input"]["kind"]
