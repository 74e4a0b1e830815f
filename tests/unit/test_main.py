"""The command line starts on Linux and macOS, and says elsewhere what helps."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from job.__main__ import find_problem
from job.errors import ExitCode

ROOT = Path(__file__).parents[2]
START = """
import runpy, sys
{change}
try:
    runpy.run_module("job", run_name="__main__", alter_sys=True)
finally:
    print(sorted(name for name in sys.modules if name.startswith("job.")))
"""


def start(change):
    """Run `python -m job --version` after a change of `sys`."""
    return subprocess.run(
        [sys.executable, "-c", START.format(change=change), "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("optimization", "is_refused"), [(0, False), (1, False), (2, True)])
def test_python_needs_its_docstrings(optimization, is_refused):
    """Assertions can be removed, docstrings cannot."""
    assert is_refused == (find_problem("linux", (3, 11), optimization) is not None)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("python", [(3, 11), (3, 14), (3, 15)])
def test_platforms_that_can_run_it(platform, python):
    assert find_problem(platform, python) is None


@pytest.mark.parametrize(
    ("change", "reason", "hint"),
    [
        ("sys.platform = 'win32'", "this is Windows", "wsl --install"),
        ("sys.platform = 'freebsd14'", "this is 'freebsd14'", "container (docs/docker.md)"),
        ("sys.version_info = (3, 10, 2)", "this is Python 3.10", "--python 3.11"),
    ],
)
def test_others_are_refused_before_anything_else_is_imported(change, reason, hint):
    """Modules that such a platform lacks would end the process with a traceback."""
    done = start(change)
    error, help_line = done.stderr.splitlines()

    assert (ExitCode.CONFIGURATION, "[]") == (done.returncode, done.stdout.splitlines()[-1])
    assert error.startswith("error: pcc-job ") and error.endswith(reason)
    assert help_line.startswith("hint: ") and hint in help_line


def test_here_it_starts():
    done = start("")

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("pcc-job ")


def test_package_states_the_platforms():
    """Classifiers, and the runners of CI."""
    package = (ROOT / "pyproject.toml").read_text()
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]

    assert '"Operating System :: MacOS"' in package
    assert '"Operating System :: POSIX :: Linux"' in package
    assert any(job["runs-on"].startswith("macos") for job in jobs.values())
