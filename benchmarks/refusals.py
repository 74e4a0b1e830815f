"""Measure the CPU seconds until a run says what is wrong with its request.

    python -m benchmarks.refusals --repetitions 5

Each case is a process of its own, which must end with the expected exit code.  Prints rows of
docs/benchmarks.md: the median of user and system time, and of the elapsed time.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAX_CPU_SECONDS = 1.0
# what is wrong, the arguments of the command, and the exit code
CASES = (
    ("missing file", ("run", "--dataset", "nowhere.parquet"), 3),
    ("wrong column", ("run", "--dataset", "t.csv", "--set", "dataset.columns.target=kind"), 4),
    ("wrong setting", ("run", "--dataset", "t.csv", "--set", "gate.margn=0.1"), 2),
    ("wrong suite", ("run", "--dataset", "t.csv", "--set", "expectations.suite=none"), 2),
    ("unknown scheme", ("run", "--dataset", "gs://bucket/t.csv"), 2),
    ("missing store folder", ("models", "list", "--store", "nowhere"), 2),
    ("store that is a file", ("run", "--dataset", "t.csv", "--store", "t.csv"), 2),
)


def write_table(path: Path) -> None:
    with path.open("w", newline="") as stream:
        rows = ((f"where is my order {n}", ("late", "lost")[n % 2]) for n in range(500))
        csv.writer(stream).writerows((("comment", "label"), *rows))


def measure(arguments: tuple[str, ...], code: int, folder: str) -> tuple[float, float]:
    """Return the CPU seconds and the elapsed seconds of one process."""
    before, started = os.times(), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "job", *arguments], cwd=folder, capture_output=True, check=False
    )
    elapsed, after = time.monotonic() - started, os.times()
    assert code == done.returncode, done.stderr.decode()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system, elapsed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    # the processes run in another folder, so the package must be found from there
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    print("| what is wrong | CPU seconds | elapsed seconds |")
    print("|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder, "t.csv"))
        for name, arguments, code in CASES:
            measure(arguments, code, folder)  # reads the files into the page cache
            times = [measure(arguments, code, folder) for _ in range(options.repetitions)]
            cpu, elapsed = (statistics.median(values) for values in zip(*times, strict=True))
            mark = "" if cpu < MAX_CPU_SECONDS else " (too much)"
            print(f"| {name} | {cpu:.2f}{mark} | {elapsed:.2f} |", flush=True)


if __name__ == "__main__":
    main()
