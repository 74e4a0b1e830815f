"""Compare time and peak memory of ingesting a file with pyarrow reading the same file.

    python -m benchmarks.ingest [ROWS] [WIDTH] [float32|float64]

Ingest and pyarrow take turns, each in its own process.  Prints the medians of five runs, and their
ratio.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from job.adapters.host_limits import Memory
from job.adapters.matrix_allocator import MappedMatrices
from job.adapters.tables import ArrowTables
from job.contracts.settings.dataset import DatasetSpec
from job.stages.data.ingest import ingest

_REPEATS = 5


def write_table(path: Path, n_rows: int, width: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    flat = rng.standard_normal(n_rows * width, dtype=np.float32).astype(dtype)
    offsets = np.arange(0, n_rows * width + 1, width, dtype=np.int32)
    embeddings = pa.ListArray.from_arrays(offsets, flat)
    labels = pa.array([f"class_{n % 7}" for n in range(n_rows)])
    pq.write_table(pa.table({"intent": labels, "embeddings": embeddings}), path)


def run_side(side: str, path: str) -> dict[str, float]:
    before_mb = peak_mb()
    started = time.perf_counter()
    if side == "pyarrow":
        pq.read_table(path)
    else:
        ingest(
            ArrowTables(),
            path,
            DatasetSpec(),
            required=frozenset({"intent"}),
            matrices=MappedMatrices(Path(), None, Memory()),
        )
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "added_mb": peak_mb() - before_mb, "imports_mb": before_mb}


def peak_mb() -> float:
    """Return the peak memory of this process; `getrusage` would include the parent's peak."""
    status = Path("/proc/self/status").read_text()
    return next(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM")) / 1024


def measure(path: Path) -> dict[str, dict[str, float]]:
    runs_by_side: dict[str, list[dict[str, float]]] = {"pyarrow": [], "ingest": []}
    for _ in range(_REPEATS):
        for side, runs in runs_by_side.items():
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.ingest", "--side", side, str(path)],
                capture_output=True,
                text=True,
                check=True,
            )
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {
        side: {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        for side, runs in runs_by_side.items()
    }


def main() -> None:
    if "--side" in sys.argv:
        print(json.dumps(run_side(sys.argv[2], sys.argv[3])))
        return
    defaults = ("100000", "384", "float32")
    rows, columns, dtype = (*sys.argv[1:], *defaults[len(sys.argv) - 1 :])
    n_rows, width = int(rows), int(columns)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "embeddings.parquet"
        write_table(path, n_rows, width, dtype)
        medians = measure(path)
    ratio = medians["ingest"]["seconds"] / medians["pyarrow"]["seconds"]
    matrix_mb = n_rows * width * 4 / 2**20
    print(
        json.dumps({"ratio": round(ratio, 2), "matrix_mb": round(matrix_mb), **medians}, indent=2)
    )


if __name__ == "__main__":
    main()
