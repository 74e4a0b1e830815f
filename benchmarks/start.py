"""Compare the time of complete runs on a small table with the time of importing their modules.

The target for a run on 2,000 rows is 1.3 times the time of the imports plus 3 s.
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
        "cli.run_job",
        "adapters.codecs.canonical_joblib",
        "adapters.executors.local",
        "adapters.suites",
        "adapters.matrix_allocator",
        "adapters.rendering.renderer",
        "adapters.stores.directory",
        "adapters.tables",
    )
)


def time_process(*arguments: str) -> float:
    """Return the seconds of one process, which must succeed."""
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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        table = options.table or Path(name) / "table.parquet"
        if options.table is None:
            time_process("-m", "job", "sample-data", str(table), "--rows", str(options.rows))
        time_process("-c", IMPORTS)  # reads the files into the page cache
        times = []
        for n in range(options.repetitions):
            bare = time_process("-c", IMPORTS)
            arguments = ("run", "--dataset", str(table), "--store", f"{name}/{n}")
            settings = ("dataset.min_rows=1000", OPEN)
            run = time_process(
                "-m", "job", *arguments, *(f"--set={setting}" for setting in settings)
            )
            times.append((bare, run, run - 1.3 * bare))
    print("| | minimum | median | maximum |\n|---|---:|---:|---:|")
    labels = ("bare imports, s", "whole run, s", "run less 1.3 x imports, s")
    for label, values in zip(labels, zip(*times, strict=True), strict=True):
        median = statistics.median(values)
        print(f"| {label} | {min(values):.1f} | {median:.1f} | {max(values):.1f} |")


if __name__ == "__main__":
    main()
