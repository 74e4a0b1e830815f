"""Measure the shares of libraries in the CPU time of a search and its refit.

    python -m benchmarks.profile embeddings 100000 [--repetitions 8] [--workers 1]

Each repetition is a separate process, which searches and refits twice.  perf samples only the
second search and refit, so that imports and first calls do not count.  Prints the shares of each
repetition, including the kernel's share, and their means.  Needs Linux with perf.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.search import make_spec, search_and_refit
from benchmarks.search_data import read_rows, write_data
from job.adapters.executors.local import LocalThreads
from job.adapters.host_limits import Memory, return_freed_memory
from job.adapters.matrix_allocator import MappedMatrices

SAMPLES_A_SECOND = 499
PARTS = {
    "BLAS and LAPACK": ("openblas", "mkl", "blis"),
    "sparse products": ("_sparsetools",),
    "NumPy": ("_multiarray_umath", "_simd"),
    "C library": ("libc.so", "libm.so", "libmvec"),
    "Python": ("python",),
    "kernel": ("kernel",),
}


@contextlib.contextmanager
def sampling(path: Path) -> Iterator[None]:
    """Let perf sample this process inside the context."""
    (orders, order), (answers, answer) = os.pipe(), os.pipe()
    rate = ["-e", "cpu-clock", "-F", str(SAMPLES_A_SECOND)]
    control = ["--delay", "-1", "--control", f"fd:{orders},{answer}"]
    command = ["perf", "record", "-q", *rate, *control, "-p", str(os.getpid()), "-o", str(path)]
    with subprocess.Popen(command, pass_fds=(orders, answer)) as recorder:
        os.write(order, b"enable\n")
        os.read(answers, 16)
        yield
        os.write(order, b"disable\n")
        os.read(answers, 16)
        recorder.send_signal(signal.SIGINT)


def read_shares(path: Path) -> dict[str, float]:
    """Return the percentage of samples by kind of library, read from perf's data."""
    command = ["perf", "report", "-q", "--stdio", "--sort", "dso", "-i", str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    percentages = dict.fromkeys([*PARTS, "others"], 0.0)
    for line in lines:
        if not line.strip():
            continue
        share, library = line.split(maxsplit=1)
        kinds = (kind for kind, names in PARTS.items() if any(name in library for name in names))
        percentages[next(kinds, "others")] += float(share.rstrip("%"))
    return {kind: round(share, 1) for kind, share in percentages.items()}


def work(options: argparse.Namespace) -> None:
    """Search and refit twice, and print the shares of the second search and refit."""
    return_freed_memory()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(options, folder)
        train = read_rows(folder, "train")
        spec = make_spec(options.table, "fast", options.estimator)
        executor, matrices = LocalThreads(options.workers), MappedMatrices(folder, None, Memory())
        for context in (contextlib.nullcontext(), sampling(folder / "perf.data")):
            with context:
                search_and_refit(train, spec, executor, matrices)
        print(json.dumps(read_shares(folder / "perf.data")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=["embeddings", "texts"])
    parser.add_argument("rows", type=int)
    parser.add_argument("--estimator", default="logistic_regression")
    parser.add_argument("--repetitions", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    if not shutil.which("perf"):
        parser.error("perf is not on the PATH; it comes with the kernel's tools (linux-perf)")
    if options.once:
        work(options)
        return
    repetitions = []
    # NOTE: idle BLAS threads would spin and take CPU time from the working one
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for _ in range(options.repetitions):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.profile", *sys.argv[1:], "--once"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=environment,
        )
        repetitions.append(json.loads(done.stdout.splitlines()[-1]))
        print(repetitions[-1], flush=True)
    for kind in repetitions[0]:
        values = [repetition[kind] for repetition in repetitions]
        print(f"{kind:16} {statistics.mean(values):5.1f} % ({min(values)} to {max(values)})")


if __name__ == "__main__":
    main()
