"""Each hook runs a program of the environment, so that its version is that of the lock file."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CONTENT = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS = {hook["id"]: hook for repo in CONTENT["repos"] for hook in repo["hooks"]}
BIN = Path(sys.executable).parent


def command_of(name):
    """Return the words of a hook's entry, with this environment in place of `.venv`."""
    program, *words = shlex.split(HOOKS[name]["entry"])
    return [program.replace(".venv/bin", str(BIN)), *words]


def run(*words, cwd=ROOT):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True)


def test_hooks_are_local():
    """Hooks of another repository would bring versions of their own."""
    assert ["local"] == [repo["repo"] for repo in CONTENT["repos"]]
    assert {"system"} == {hook["language"] for hook in HOOKS.values()}
    assert {"pre-commit", "commit-msg"} == set(CONTENT["default_install_hook_types"])


@pytest.mark.parametrize("name", HOOKS)
def test_program_is_there(name):
    program = ROOT / command_of(name)[0]

    assert os.access(program, os.X_OK)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("ruff", '"""Docstring."""\n\nimport os\n', '"""Docstring."""\n\n'),
        ("ruff-format", "x = ( 1 )\n", "x = 1\n"),
    ],
)
def test_hook_fixes_a_file(tmp_path, name, text, expected):
    """pre-commit refuses the commit, because a hook changed a file."""
    file = tmp_path / "module.py"
    file.write_text(text)

    done = run(*command_of(name), str(file))

    assert 0 == done.returncode, done.stdout + done.stderr
    assert expected == file.read_text()


@pytest.mark.parametrize("name", ["mypy", "lint-imports"])
def test_slow_hook_starts(name):
    """What it checks is checked by `make types imports`."""
    assert 0 == run(*command_of(name), "--help").returncode


@pytest.mark.parametrize(("subject", "code"), [("Add a metric", 0), ("Added a metric", 1)])
def test_subject_is_checked(tmp_path, subject, code):
    """The hook gets the file with the message as its last argument."""
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text(f"{subject}\n")

    assert "commit-msg" in HOOKS["commit-subject"]["stages"]
    assert code == run(*command_of("commit-subject"), str(message)).returncode
