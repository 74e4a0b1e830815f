"""Time whole runs on a small table beside a bare import of what they import, in turns.

What is asked of a run on 2,000 rows is 1.3 times the bare import and 3 s.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import OPEN

IMPORTS = "import great_expectations, job.cli.commands.app, " + ", ".join(
    f"job.{name}"
    for name in (
        "pipeline",
        "cli.wiring",
        "adapters.codecs.canonical_joblib",
        "adapters.executors.local",
        "adapters.gx",
        "adapters.matrices",
        "adapters.rendering.pages",
        "adapters.stores.directory",
        "adapters.tables",
    )
)


def seconds(*arguments: str) -> float:
    """Time one process, whatever it says; it has to succeed."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--table", type=Path, help="in place of sample data")
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        table = given.table or Path(name) / "table.parquet"
        if given.table is None:
            seconds("-m", "job", "sample-data", str(table), "--rows", str(given.rows))
        seconds("-c", IMPORTS)  # whose files are in memory from here on
        found = []
        for n in range(given.repetitions):
            bare = seconds("-c", IMPORTS)
            arguments = ("run", "--dataset", str(table), "--store", f"{name}/{n}")
            settings = ("dataset.min_rows=1000", OPEN)
            run = seconds("-m", "job", *arguments, *(f"--set={some}" for some in settings))
            found.append((bare, run, run - 1.3 * bare))
    print("| | minimum | median | maximum |\n|---|---:|---:|---:|")
    labels = ("bare imports, s", "whole run, s", "run less 1.3 x imports, s")
    for label, values in zip(labels, zip(*found, strict=True), strict=True):
        middle = statistics.median(values)
        print(f"| {label} | {min(values):.1f} | {middle:.1f} | {max(values):.1f} |")


if __name__ == "__main__":
    main()
