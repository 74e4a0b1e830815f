"""The published files of runs on the sample table equal the reviewed ones, byte for byte."""

import difflib
import platform
import sys

import pytest
from support.golden_runs import CASES, FILES, GOLDEN, PYTHON, run_cases
from support.requirements import skip_without


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    if sys.version_info[:2] != PYTHON or platform.machine() != "x86_64":
        here = f"{sys.version.split()[0]} on {platform.machine()}"
        skip_without("golden", f"the kept files are of Python 3.11 on x86_64, this is {here}")
    return run_cases(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("case", CASES)
def test_published_files_are_the_kept_ones(published, case):
    """A changed number, key or model byte is detected; `make golden` accepts the change."""
    changed = [
        line
        for name in FILES
        for line in difflib.unified_diff(
            (GOLDEN / case / name).read_text().splitlines(),
            published[case][name].splitlines(),
            f"kept {name}",
            f"published {name}",
            n=0,
            lineterm="",
        )
    ]

    assert not changed, "\n".join(line[:200] for line in changed[:40])
