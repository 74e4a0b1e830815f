"""scripts/lint.sh skips a linter that is not installed, or fails if it is required."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINTERS = ("shellcheck", "hadolint", "actionlint")


@pytest.fixture
def lint(tmp_path):
    """Run the script with these linters only, each a script that prints its arguments."""

    def run(linters, *, code=0, required=""):
        for name in ("bash", "dirname"):
            (tmp_path / name).symlink_to(shutil.which(name))
        for name in linters:
            (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\nexit {code}\n')
            (tmp_path / name).chmod(0o755)
        environment = {**os.environ, "PATH": str(tmp_path), "PCC_TEST_REQUIRE": required}
        return subprocess.run(
            [ROOT / "scripts/lint.sh"], env=environment, capture_output=True, text=True
        )

    return run


def test_each_linter_gets_its_files(lint):
    done = lint(LINTERS)
    lines = done.stdout.splitlines()

    assert (0, "") == (done.returncode, done.stderr)
    assert list(LINTERS) == [line.split()[0] for line in lines]
    assert {".ci/run", "scripts/cluster.sh"} < set(lines[0].split())
    assert "hadolint Dockerfile" == lines[1]
    assert ".github/workflows/ci.yml" in lines[2]


def test_all_linters_run_if_one_fails(lint):
    done = lint(LINTERS, code=3)

    assert 1 == done.returncode
    assert 3 == len(done.stdout.splitlines())


@pytest.mark.parametrize("required", ["", "docker golden", "linters"])
def test_missing_linter_is_skipped_with_a_message(lint, required):
    done = lint(LINTERS[:1], required=required)

    assert 0 == done.returncode
    assert all(f"skipped: {name} is not installed" in done.stderr for name in LINTERS[1:])


@pytest.mark.parametrize("required", ["lint", "docker lint", "lint,docker"])
def test_required_linter_must_be_installed(lint, required):
    done = lint(LINTERS[1:], required=required)

    assert 1 == done.returncode
    assert "shellcheck is not installed" in done.stderr
