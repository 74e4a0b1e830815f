"""Give hostile settings to the command line, and list the commands that end in a bug.

How it works
------------
1. `benchmarks.hostile_settings` makes the cases.
2. `config check`, `config show` or `doctor` reads them in this process
   (`benchmarks.in_process` says what a bug is).
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from pathlib import Path

from benchmarks.hostile_settings import Case, make_case
from benchmarks.in_process import run_command


def find_bug(case: Case, folder: Path) -> str | None:
    """Run the command of a case; return what is wrong with its end, or None."""
    if case.content is not None:
        (folder / "job.yaml").write_bytes(case.content)
    return run_command(case.arguments, case.environment).bug


def fuzz(n_cases: int, *, seed: int = 0) -> dict[str, list[int]]:
    """Run cases; return the numbers of the cases that end in a bug, by description."""
    bugs: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        os.mkfifo(folder / "fifo")
        run_command(["config", "check"])  # imports the libraries
        for number in range(n_cases):
            bug = find_bug(make_case(random.Random(f"{seed}/{number}"), folder), folder)
            if bug is not None:
                bugs.setdefault(bug, []).append(number)
    return bugs
