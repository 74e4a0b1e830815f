"""Measure peak memory and seconds of runs by rows and features, beside the job's own estimate."""

import argparse
import json
import multiprocessing
import os
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
SIZES = ("6000x584", "30000x384", "100000x384", "6000xtext", "30000xtext")


def write_table(path: Path, n_rows: int, features: str, n_classes: int = 8) -> None:
    """Write noisy embeddings around class centres, or texts with one word that tells the class."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_classes, n_rows)
    columns: dict[str, object] = {"intent": [f"class {n}" for n in y]}
    if features == "text":
        words = np.array([f"word{n}" for n in range(5000)])
        drawn = (5000 * rng.random((n_rows, 12)) ** 3).astype(int)
        columns["text"] = [
            f"{' '.join(words[row])} about{label}" for row, label in zip(drawn, y, strict=True)
        ]
    else:
        width = int(features)
        centres = rng.normal(size=(n_classes, width)) * 0.3
        matrix = (centres[y] + rng.normal(size=(n_rows, width))).astype(np.float32)
        columns["embeddings"] = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), width)
    pq.write_table(pa.table(columns), path)


def measure(table: Path, features: str, store: Path) -> tuple[float, int, int]:
    """Run the job in a process of its own; give seconds, peak bytes, and the estimate."""
    kind = "text" if features == "text" else "embeddings"
    command = [sys.executable, "-m", "job", "run", "--dataset", str(table), "--store", str(store)]
    command += ["--run-id", table.stem, "--set", f"features.use=[{kind}]", "--set", OPEN]
    command += ["--set", f"expectations.suite=labelled_{kind}"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{table.stem} ended with {os.waitstatus_to_exitcode(status)}")
    record = json.loads((store / f"runs/{table.stem}/1.json").read_text())
    return time.monotonic() - started, usage.ru_maxrss * 1024, record["estimated_memory_bytes"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=SIZES, help="ROWSxWIDTH or ROWSxtext")
    given = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    print("| rows x features | seconds | peak memory | estimate |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        for size in given.sizes:
            rows, _, features = size.partition("x")
            table = Path(name) / f"{size}.parquet"
            # NOTE: a child's peak counts what its parent held when it was started
            writer = spawn.Process(target=write_table, args=(table, int(rows), features))
            writer.start()
            writer.join()
            seconds, peak, estimate = measure(table, features, Path(name) / f"models-{size}")
            print(
                f"| {int(rows):,} x {features} | {seconds:.0f} | {peak / MIB:.0f} MiB "
                f"| {estimate / MIB:.0f} MiB |",
                flush=True,
            )


if __name__ == "__main__":
    main()
