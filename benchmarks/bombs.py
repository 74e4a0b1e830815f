"""Give tables and settings to the job that are far larger than they look.

    python -m benchmarks.bombs

Each must be refused within 10 s and 500 MB.  Prints a row per bomb: bytes, command, exit code,
seconds and peak memory.
"""

from __future__ import annotations

import bz2
import gzip
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from job.errors import ExitCode

MAX_SECONDS: Final = 10
MAX_MB: Final = 500
_ROLES: Final = "--set=dataset.columns={target: intent, text: text, embeddings: null}"
_LIST_ROLES: Final = "--set=dataset.columns={target: intent, text: text, embeddings: e}"


# NOTE: a process that is started has the peak of the process that starts it, so a small one does
_MEASURE: Final = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """How a command ended."""

    code: int
    seconds: float
    megabytes: float
    message: str

    @property
    def is_cheap(self) -> bool:
        """Whether it ended within the limits."""
        return self.seconds <= MAX_SECONDS and self.megabytes <= MAX_MB


def _columns(n: int) -> pa.Table:
    return pa.table({f"column_{i}": pa.array(["a"]) for i in range(n)})


def _parquet(make: Callable[[], Mapping[str, object]], **options: object) -> Callable[[Path], None]:
    return lambda path: pq.write_table(pa.table(make()), path, compression="zstd", **options)


def _write_rows(path: Path) -> None:
    """Write 60 million rows of two values."""
    part = pa.table({"text": pa.array(["a"] * 10**6), "intent": pa.array(["b"] * 10**6)})
    with pq.ParquetWriter(path, part.schema, compression="zstd") as writer:
        for _ in range(60):
            writer.write_table(part)


def _repeat(n: int, before: int = 0) -> dict[str, pa.Array]:
    """Return `n` rows with a text of 1 MB, after rows with a short one."""
    text = pa.array(["a", "x" * (2**20 - 1)])
    indices = pa.array([0] * before + [1] * n, pa.int32())
    return {
        "text": pa.DictionaryArray.from_arrays(indices, text),
        "intent": pa.array(["a", "b"] * ((n + before) // 2)),
    }


def _long_list() -> dict[str, object]:
    """Return rows of which one has 100 million numbers."""
    values = pa.array([0.0], pa.float32()).take(pa.nulls(10**8, pa.int32()).fill_null(0))
    offsets = pa.array([0, 10**8, 10**8], pa.int32())
    embeddings = pa.ListArray.from_arrays(offsets, values)
    return {"text": ["a", "b"], "intent": ["a", "b"], "e": embeddings}


def _deep_schema() -> dict[str, object]:
    array = pa.array([1.0, 2.0])
    for _ in range(400):
        array = pa.StructArray.from_arrays([array], ["a"])
    return {"text": ["a", "b"], "intent": ["a", "b"], "e": array}


def _gzip_rows(path: Path) -> None:
    member = gzip.compress((b"hello there,a\n" * 2**16) * 10)
    path.write_bytes(gzip.compress(b"text,intent\n") + member * 200)


def _gzip_blank(path: Path) -> None:
    path.write_bytes(gzip.compress(b"text,intent\n") + gzip.compress(b"\n" * 2**24) * 120)


def _bz2_rows(path: Path) -> None:
    member = bz2.compress((b"x" * 2**18 + b",a\n") * 64)
    path.write_bytes(bz2.compress(b"text,intent\n") + member * 120)


def _zstd_rows(path: Path) -> None:
    with pa.output_stream(path, compression="zstd") as stream:
        stream.write(b"text,intent\n")
        for _ in range(120):
            stream.write((b"x" * 2**18 + b",a\n") * 64)


def _text(content: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_text(content, "utf-8")

    return write


def _wide_csv() -> str:
    names = ",".join(f"column_{n}" for n in range(200_000))
    return f"text,intent,{names}\n" + ("a,b" + ",1" * 200_000 + "\n") * 3


def _cells(cell: str) -> str:
    return "text,intent,e\n" + f'a,b,"{cell}"\n' * 60


def _aliases() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


_GRID: Final = (
    "search: {estimators: {logistic_regression: {"
    + ", ".join(
        f"{name}: [{', '.join(str(n + 1) for n in range(400))}]"
        for name in ("C", "tol", "max_iter")
    )
    + "}}}"
)

# ending of the file, what writes it, expected exit code, and more options
BOMBS: Final[Mapping[str, tuple[str, Callable[[Path], None], ExitCode, tuple[str, ...]]]] = (
    MappingProxyType(
        {
            "60 million rows": ("parquet", _write_rows, ExitCode.CONTRACT_VIOLATION, (_ROLES,)),
            "1 MB repeated 6,000 times": (
                *("parquet", _parquet(lambda: _repeat(6000)), ExitCode.DATASET, (_ROLES,)),
            ),
            "1 MB repeated, later": (
                *("parquet", _parquet(lambda: _repeat(6000, 9000)), ExitCode.DATASET, (_ROLES,)),
            ),
            "1 MB repeated, deltas": (
                "parquet",
                _parquet(
                    lambda: {k: pa.array(v.to_pylist()) for k, v in _repeat(600).items()},
                    use_dictionary=False,
                    column_encoding={"text": "DELTA_BYTE_ARRAY"},
                ),
                ExitCode.DATASET,
                (_ROLES,),
            ),
            "a list of 100 million": (
                *("parquet", _parquet(_long_list), ExitCode.DATASET, (_LIST_ROLES,)),
            ),
            "Parquet of 50,000 columns": (
                *("parquet", lambda p: pq.write_table(_columns(50_000), p), ExitCode.DATASET),
                (_ROLES,),
            ),
            "a schema of 400 levels": (
                *("parquet", _parquet(_deep_schema), ExitCode.DATASET, (_LIST_ROLES,)),
            ),
            "CSV of 200,000 columns": ("csv", _text(_wide_csv()), ExitCode.DATASET, (_ROLES,)),
            "gzip of many rows": ("csv.gz", _gzip_rows, ExitCode.CONTRACT_VIOLATION, (_ROLES,)),
            "gzip of blank lines": ("csv.gz", _gzip_blank, ExitCode.DATASET, (_ROLES,)),
            "bz2 of long cells": ("csv.bz2", _bz2_rows, ExitCode.DATASET, (_ROLES,)),
            "zstd of long cells": ("csv.zst", _zstd_rows, ExitCode.DATASET, (_ROLES,)),
            "cells of open brackets": (
                *("csv", _text(_cells("[" * 10**6)), ExitCode.CONTRACT_VIOLATION, (_LIST_ROLES,)),
            ),
            "cells of huge integers": (
                *("csv", _text(_cells("[" + "9" * 10**6 + "]")), ExitCode.CONTRACT_VIOLATION),
                (_LIST_ROLES,),
            ),
            "YAML aliases": ("yaml", _text(_aliases()), ExitCode.CONFIGURATION, ()),
            "YAML brackets": ("yaml", _text("a: " + "[" * 60_000), ExitCode.CONFIGURATION, ()),
            "YAML integer": ("yaml", _text("a: 1" + "0" * 60_000), ExitCode.CONFIGURATION, ()),
            "a grid of 64 million": ("yaml", _text(_GRID), ExitCode.CONFIGURATION, ()),
        }
    )
)


def refuse(path: Path, options: tuple[str, ...], verb: str = "validate") -> Refused:
    """Run a command on a file in a new process; return its exit code, seconds and memory."""
    is_table = path.suffix != ".yaml"
    words = (verb, *options, "--dataset") if is_table else ("config", "check", "--config")
    command = [sys.executable, "-m", "job", *words, str(path)]
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], capture_output=True, text=True, check=True
    )
    seconds = time.monotonic() - started
    code, peak = map(int, ended.stdout.split())
    unit = 10**6 if sys.platform == "darwin" else 10**3  # macOS counts bytes, Linux KiB
    return Refused(code=code, seconds=seconds, megabytes=peak / unit, message=ended.stderr)


def measure(folder: Path, names: Iterator[str]) -> Iterator[tuple[str, int, Refused]]:
    """Write and refuse bombs by name; yield the name, the bytes of the file, and the end."""
    for name in names:
        ending, write, _, options = BOMBS[name]
        path = folder / f"bomb.{ending}"
        write(path)
        yield name, path.stat().st_size, refuse(path, options)
        path.unlink()


def main() -> None:
    print("| bomb | bytes | exit code | s | MB |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, size, end in measure(Path(folder), iter(sys.argv[1:] or BOMBS)):
            mark = "" if end.is_cheap and end.code == BOMBS[name][2] else " (!)"
            figures = f"{end.code}{mark} | {end.seconds:.1f} | {end.megabytes:.0f}"
            print(f"| {name} | {size:,} | {figures} |", flush=True)
            if mark:
                sys.stderr.write(end.message[-700:] + "\n")


if __name__ == "__main__":
    main()
