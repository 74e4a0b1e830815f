"""Measure peak memory and time of runs by rows and features, and compare with the estimate."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

MIB = 2**20
OPEN = "gate.floors={accuracy: null, precision_macro: null, recall_macro: null, f1_macro: null}"
# NOTE: getrusage includes the parent's memory at the fork; the kernel's VmHWM starts with exec
RUN = """
import sys
from pathlib import Path
from job.cli import main
target = Path(sys.argv.pop(1))
try:
    main()
finally:
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    target.write_text(peak)
"""
SIZES = ("6000x584", "30000x384", "100000x384", "6000xtext", "30000xtext")


def write_table(path: Path, n_rows: int, features: str, n_classes: int = 8) -> None:
    """Write noisy embeddings around class centers, or texts with one word that names the class."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_classes, n_rows)
    columns: dict[str, object] = {"intent": [f"class {n}" for n in y]}
    if features == "text":
        letters = "abcdefghijklmnopqr"  # tokens with digits do not become terms
        words = np.array(
            [f"word{a}{b}{c}" for a in letters for b in letters for c in letters][:5000]
        )
        drawn = (5000 * rng.random((n_rows, 12)) ** 3).astype(int)
        columns["text"] = [
            f"{' '.join(words[row])} about{words[label]}"
            for row, label in zip(drawn, y, strict=True)
        ]
    else:
        width = int(features)
        centers = rng.normal(size=(n_classes, width)) * 0.3
        matrix = (centers[y] + rng.normal(size=(n_rows, width))).astype(np.float32)
        columns["embeddings"] = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), width)
    pq.write_table(pa.table(columns), path)


def measure(table: Path, features: str, store: Path) -> tuple[float, int, int]:
    """Run the job in its own process; return seconds, peak bytes and the estimate."""
    kind = "text" if features == "text" else "embeddings"
    peak = store.with_suffix(".peak")
    arguments = ["run", "--dataset", table, "--store", store, "--run-id", table.stem]
    for setting in (f"features.use=[{kind}]", OPEN, f"expectations.suite=labelled_{kind}"):
        arguments += ["--set", setting]
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", RUN, *map(str, [peak, *arguments])],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds = time.monotonic() - started
    record = json.loads((store / f"runs/{table.stem}/1.json").read_text())
    return seconds, int(peak.read_text()) * 1024, record["estimated_memory_bytes"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=SIZES, help="ROWSxWIDTH or ROWSxtext")
    options = parser.parse_args()
    print("| rows x features | seconds | peak memory | estimate |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        for size in options.sizes:
            rows, _, features = size.partition("x")
            table = Path(name) / f"{size}.parquet"
            write_table(table, int(rows), features)
            seconds, peak, estimate = measure(table, features, Path(name) / f"models-{size}")
            print(
                f"| {int(rows):,} x {features} | {seconds:.0f} | {peak / MIB:.0f} MiB "
                f"| {estimate / MIB:.0f} MiB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
