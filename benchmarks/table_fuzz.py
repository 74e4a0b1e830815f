"""Give hostile tables to `validate` and `init`, and list the commands that end in a bug.

How it works
------------
1. `benchmarks.hostile_tables` writes a table and names the command that reads it.
2. The command reads it in this process (`benchmarks.in_process` says what a bug is).
3. It is also a bug if the command writes text of a cell, if it takes more than 1 GiB of memory, or
   if a table that was written by a sound writer is validated with another number of rows.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.hostile_cells import CANARY
from benchmarks.hostile_tables import TableCase, make_table
from benchmarks.in_process import Ended, run_command

MAX_BYTES: Final = 2**30  # beyond what the process has before the command


def find_bug(case: TableCase) -> str | None:
    """Run the command of a case; return what is wrong with its end, or None."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # resets the peak memory
    n_bytes_before = _peak_bytes()
    ended = run_command(case.arguments)
    if ended.bug is not None:
        return ended.bug
    if CANARY in ended.stdout + ended.stderr:
        return "writes text of a cell"
    if _peak_bytes() - n_bytes_before > MAX_BYTES:
        return f"takes more than {MAX_BYTES} bytes of memory"
    return _compare_rows(case, ended)


def _compare_rows(case: TableCase, ended: Ended) -> str | None:
    if case.n_rows is None or ended.error is not None or case.arguments[0] != "validate":
        return None
    if not ended.stdout.startswith("{"):
        return None
    n_rows = json.loads(ended.stdout)["n_rows"]
    return None if n_rows == case.n_rows else "reads another number of rows than were written"


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def fuzz(n_cases: int, *, seed: int = 0) -> dict[str, list[int]]:
    """Run cases; return the numbers of the cases that end in a bug, by description."""
    bugs: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        for number in range(n_cases):
            folder = Path("case")
            folder.mkdir()
            bug = find_bug(make_table(random.Random(f"{seed}/{number}"), folder))
            shutil.rmtree(folder)
            if bug is not None:
                bugs.setdefault(bug, []).append(number)
    return bugs
