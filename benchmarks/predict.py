"""Measure `pcc-job predict` on a large table, and a plain scikit-learn loop on the same table.

    python -m benchmarks.predict VERSION TABLE [--rows 1000000]

VERSION is the folder of a published version that takes texts or embeddings alone, and TABLE a table
with the columns of its model, which is repeated until it has enough rows.  The loop unpickles
`model.joblib` and calls `predict_proba` for each batch of the same file; it writes nothing.

Prints for a tenth of the rows and for all rows:

    seconds      from the start of the process to its end
    CPU s        CPU seconds of the process, which other processes of the machine change little
    rows/CPU s   rows per CPU second
    memory, MB   peak resident memory of the process
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WRITE = """
import json, math, sys
import pyarrow as pa, pyarrow.parquet as pq, pyarrow.csv as pacsv
source, target, n_rows, column = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
if source.endswith(".csv"):
    table = pacsv.read_csv(source, parse_options=pacsv.ParseOptions(newlines_in_values=True))
else:
    table = pq.read_table(source)
table = table.select([column])
with pq.ParquetWriter(target, table.schema) as writer:
    for start in range(0, n_rows, len(table)):
        writer.write_table(table.slice(0, n_rows - start))
"""
LOOP = """
import sys
import joblib, numpy, pyarrow.parquet as pq
model, table, column, kind = joblib.load(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
n_rows = 0
for batch in pq.ParquetFile(table, pre_buffer=False).iter_batches(4096, columns=[column]):
    cells = batch.column(0)
    if kind == "text":
        X = cells.to_pylist()
    else:
        X = cells.flatten().to_numpy().reshape(len(cells), -1).astype(numpy.float32)
    proba = model.predict_proba(X)
    labels, confidence = model.classes_[proba.argmax(axis=1)], proba.max(axis=1)
    n_rows += len(labels)
"""
# NOTE: ru_maxrss includes this process's memory at the fork; the kernel's VmHWM starts with exec
PEAK = """
status = open("/proc/self/status").read().splitlines()
peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
open(peak_path, "w").write(str(peak))
"""
PREDICT = """
import atexit, os, sys
from job.cli import main
atexit.register(lambda: exec(PEAK))
main()
"""


def run(code: str, *arguments: object, folder: Path) -> tuple[float, float, float]:
    """Run a program; return its seconds, its CPU seconds and its peak memory in MB."""
    path = folder / "peak"
    text = f"peak_path = {str(path)!r}\nPEAK = {PEAK!r}\n{code}"
    command = [sys.executable, "-c", text if "PEAK" in code else text + PEAK, *map(str, arguments)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu_seconds, int(path.read_text()) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("version", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    version = options.version.resolve()
    metadata = json.loads((version / "metadata.json").read_text())
    kind = metadata["input"]["kind"]
    column = metadata["settings"]["dataset"]["columns"][kind]
    print(f"{kind}, {os.cpu_count()} CPUs", flush=True)
    print("| program | rows | seconds | CPU s | rows/CPU s | memory, MB |")
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for n_rows in (options.rows // 10, options.rows):
            table, out = folder / "table.parquet", folder / "out.parquet"
            run(WRITE, options.table, table, n_rows, column, folder=folder)
            where = ("--store", version.parent, "--dataset", table, "--out", out, "--force")
            programs: dict[str, tuple[str, tuple[object, ...]]] = {
                "pcc-job predict": (PREDICT, ("predict", version.name, *where)),
                "scikit-learn": (LOOP, (version / "model.joblib", table, column, kind)),
            }
            for program, (code, arguments) in programs.items():
                seconds, cpu_seconds, memory = run(code, *arguments, folder=folder)
                print(
                    f"| {program} | {n_rows:,} | {seconds:.1f} | {cpu_seconds:.1f} | "
                    f"{n_rows / cpu_seconds:,.0f} | {memory:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
