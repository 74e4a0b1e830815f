"""End commands while threads of pyarrow still read, and count the exit codes.

    python -m benchmarks.bad_endings [N]

How it works
------------
1. Each table is a compressed CSV file of many blocks, with a fault in its first block, so that
   threads still read when the command ends.
2. `pcc-job validate` reads the tables in turn, N times in all, each time in a new process.

Prints a row per table: runs, expected exit code, and the number of runs with another one.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Final

from job.errors import ExitCode

_BLOCK_ROWS: Final = 45_000
_OPTIONS: Final = ("--set=dataset.columns={target: intent, text: text, embeddings: null}",)
CODES: Final[Mapping[str, ExitCode]] = MappingProxyType(
    {
        "a cell too large": ExitCode.DATASET,
        "bytes that are not text": ExitCode.DATASET,
        "cut off": ExitCode.DATASET,
        "too many rows": ExitCode.CONTRACT_VIOLATION,
    }
)


def write_tables(folder: Path, n_blocks: int = 16) -> dict[str, Path]:
    """Write the table of each fault, in blocks of some 9 MB; return their paths by the fault."""
    random = Random(0)
    rows = b"".join(b"%x,c%d\n" % (random.getrandbits(800), n % 5) for n in range(_BLOCK_ROWS))
    first, block = b"text,intent\n" + rows, gzip.compress(rows, 1)
    beginnings = {
        "a cell too large": first + b"x" * 2**21 + b",c1\n",
        "bytes that are not text": first + b"\xff,c1\n",
        "cut off": first,
        "too many rows": first,
    }
    paths = {}
    for fault, beginning in beginnings.items():
        paths[fault] = folder / f"{fault.replace(' ', '-')}.csv.gz"
        content = gzip.compress(beginning, 1) + n_blocks * block  # members of one file
        paths[fault].write_bytes(content[:-1000] if fault == "cut off" else content)
    return paths


def run(path: Path, fault: str) -> int:
    """Return the exit code of `pcc-job validate`; negative for a signal."""
    limit = ("--set=dataset.max_rows=5000",) if fault == "too many rows" else ()
    command = (sys.executable, "-m", "job", "validate", "--dataset", str(path), *_OPTIONS, *limit)
    ended = subprocess.run(command, check=False, capture_output=True, timeout=60)
    return ended.returncode


def count_wrong_codes(paths: Mapping[str, Path], n_runs: int) -> dict[str, tuple[int, int]]:
    """Return, for each fault, the number of runs and how many ended with another code."""
    counts = dict.fromkeys(paths, (0, 0))
    for n in range(n_runs):
        fault = list(paths)[n % len(paths)]
        n_ended, n_wrong = counts[fault]
        counts[fault] = (n_ended + 1, n_wrong + (run(paths[fault], fault) != CODES[fault]))
    return counts


def main() -> None:
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as name:
        counts = count_wrong_codes(write_tables(Path(name)), n_runs)
    print("| fault | runs | exit code | other codes |\n|---|---:|---:|---:|")
    for fault, (n_ended, n_wrong) in counts.items():
        print(f"| {fault} | {n_ended} | {CODES[fault]} | {n_wrong} |")


if __name__ == "__main__":
    main()
