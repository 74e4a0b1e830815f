"""A cheap cell of the benchmark on many versions; docs/benchmarks.md has the complete one."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.many_versions import MAX_REQUESTS


def test_commands_on_many_versions_make_few_requests(docker_engine):
    """With 200 versions, each command makes as many requests as with thousands, except for pages."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.many_versions", "200"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    requests = {name: cost["requests"] for name, cost in found["commands"].items()}

    assert 200 == found["n_versions"]
    assert {name: n for name, n in requests.items() if n >= MAX_REQUESTS} == {}
    assert 52 == requests["history"]
    assert requests["show latest"] == 1 + requests["show VERSION"]
    assert done.stdout.splitlines()[-1].startswith("| ")
