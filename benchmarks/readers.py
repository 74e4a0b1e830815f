"""Compare the NumPy reader of `model.safetensors` with `joblib.load` and scikit-learn.

    python -m benchmarks.readers VERSION TABLE [--rows 500] [--repetitions 5]

VERSION is the folder of a published version, and TABLE a table with the columns of its model.
The programs alternate, and each repetition runs in a process of its own with one thread.

Prints the median over the repetitions of:

    row, ms         median time of `predict_proba` for one row; the input exists already
    cold start, s   from the start of the process to the first prediction
    memory, MB      peak resident memory at that moment

Then prints the largest difference of the probabilities.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from job.stages.features.preprocessing import embedding_column_names

READER = Path(__file__).parents[1] / "examples/readers/python"
# each program defines `model`, and `prepare`, which returns the input X of one row
PROGRAMS = {
    "scikit-learn": """
import joblib
model = joblib.load(folder / "model.joblib")
if kind == "dataframe":
    import pandas
    prepare = lambda row: pandas.DataFrame([row])
elif kind == "embeddings":
    import numpy
    prepare = lambda row: numpy.array([row])
else:
    prepare = lambda row: [row]
""",
    "reader": """
import numpy
import pcc_model
model = pcc_model.load(folder / "model.safetensors")
prepare = (lambda row: numpy.array([row])) if kind == "embeddings" else (lambda row: [row])
""",
}
# NOTE: getrusage includes the parent's memory at the fork; the kernel's VmHWM starts with exec
MEASURE = """
import json, sys, time
from pathlib import Path
folder, rows, kind = Path(sys.argv[1]), Path(sys.argv[2]).open(), sys.argv[3]
{program}
first = model.predict_proba(prepare(json.loads(next(rows))))
ended = time.time()
status = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
seconds, proba = [], []
for X in [prepare(json.loads(line)) for line in rows]:
    started = time.perf_counter()
    found = model.predict_proba(X)
    seconds.append(time.perf_counter() - started)
    proba.append(found[0].tolist())
print(json.dumps(dict(ended=ended, kib=peak, seconds=seconds, proba=proba)))
"""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def write_rows(version: Path, table: Path, n_rows: int, target: Path) -> str:
    """Write rows as the model takes them, one JSON value per line; return the kind of input."""
    metadata = json.loads((version / "metadata.json").read_text())
    kind, columns = metadata["input"]["kind"], metadata["settings"]["dataset"]["columns"]
    frame = pd.read_csv(table) if table.suffix == ".csv" else pd.read_parquet(table)
    frame = frame.sample(min(n_rows, len(frame)), random_state=0).astype(object)
    names = metadata["input"].get("names")
    with target.open("w") as file:
        for record in frame.where(frame.notna(), None).to_dict("records"):
            row = make_row(record, kind, columns, names)
            file.write(json.dumps(row, ensure_ascii=False, default=float) + "\n")
    return str(kind)


def make_row(record: dict[Any, Any], kind: str, columns: dict[str, Any], names: list[str]) -> Any:
    """Return one row of the model's input."""
    if kind == "text":
        return record[columns["text"]]
    vector = record.get(columns["embeddings"])
    values = [] if vector is None else [float(value) for value in vector]
    if kind == "embeddings":
        return values
    embedding = dict(zip(embedding_column_names(len(values)), values, strict=True))
    known = {**record, "text": record.get(columns["text"]), **embedding}
    return {name: known[name] for name in names}


def measure(program: str, version: Path, rows: Path, kind: str) -> dict[str, Any]:
    """Run one program; return the seconds of its start, its peak memory, times and results."""
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(READER)}
    code = MEASURE.format(program=PROGRAMS[program])
    command = [sys.executable, "-c", code, str(version), str(rows), kind]
    started = time.time()
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    result: dict[str, Any] = json.loads(done.stdout)
    return {**result, "start": result["ended"] - started}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("version", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as name:
        rows = Path(name) / "rows.jsonl"
        kind = write_rows(options.version, options.table, options.rows, rows)
        for _ in range(options.repetitions):
            for program, results in runs.items():
                results.append(measure(program, options.version, rows, kind))
    print("| program | row, ms | cold start, s | memory, MB |\n|---|---:|---:|---:|")
    for program, results in runs.items():
        row = statistics.median(statistics.median(result["seconds"]) for result in results)
        start = statistics.median(result["start"] for result in results)
        memory = statistics.median(result["kib"] for result in results) / 1024
        print(f"| {program} | {1000 * row:.3f} | {start:.2f} | {memory:.0f} |")
    pairs = zip(runs["scikit-learn"][0]["proba"], runs["reader"][0]["proba"], strict=True)
    largest = max(abs(p - q) for left, right in pairs for p, q in zip(left, right, strict=True))
    print(f"\nlargest difference of a probability: {largest:.1e}")


if __name__ == "__main__":
    main()
