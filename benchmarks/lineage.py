"""Measure the lineage of generated tables: keyed digests, the file, and the count of changes.

    python -m benchmarks.lineage 100000 1000000

Each row has its own text of 15 words; every fifth row is a test row, and every tenth has the group
of the row before it.  The changes are counted against the same table without its last 1,000 rows.

Prints, for each size, CPU seconds and the size of the file, and a row of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.near_duplicates import generate_texts
from job.contracts.dataset import Rows
from job.contracts.lineage_key import LineageKey
from job.stages.data.leakage_keys import normalize
from job.stages.lineage.changes import count_changed_groups
from job.stages.lineage.keyed_digests import keyed_digests
from job.stages.lineage.lineage_file import Lineage, trace_rows

_KEY = LineageKey(bytes(range(32)))
_N_REMOVED = 1000


def make_rows(n_rows: int) -> Rows:
    texts = generate_texts(n_rows)
    keys = np.array([f"text:{normalize(t)} {n}" for n, t in enumerate(texts)], object)
    groups = np.arange(n_rows) - (np.arange(n_rows) % 10 == 9)
    return Rows(
        y=np.array([f"class {n % 8}" for n in range(n_rows)], object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=None,
        frame=pd.DataFrame(index=range(n_rows)),
        templates=keys,
        near_duplicate_groups=groups,
    )


def trace(rows: Rows) -> Lineage:
    is_test = np.arange(len(rows)) % 5 == 0
    return trace_rows(rows.take(~is_test), rows.take(is_test), _KEY)


def measure(n_rows: int) -> dict[str, Any]:
    """Return CPU seconds of each step, the bytes of the file, and the number of changed groups."""
    rows = make_rows(n_rows)
    before = trace(rows.take(np.arange(n_rows - _N_REMOVED)))
    times = [time.process_time()]
    keyed_digests("row", rows.leakage_keys, _KEY)
    times.append(time.process_time())
    lineage = trace(rows)
    times.append(time.process_time())
    data = lineage.to_bytes()
    Lineage.from_bytes(data)
    times.append(time.process_time())
    n_changed = count_changed_groups(before, lineage)
    times.append(time.process_time())
    steps = ("digests", "trace", "file", "changes")
    seconds = dict(zip(steps, np.diff(times).round(3).tolist(), strict=True))
    return {"n_rows": n_rows, **seconds, "n_bytes": len(data), "n_changed": n_changed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="+")
    for n_rows in parser.parse_args().rows:
        found = measure(n_rows)
        print(json.dumps(found))
        seconds = " | ".join(
            f"{found[name]:.1f} s" for name in ("digests", "trace", "file", "changes")
        )
        print(f"| {n_rows:,} | {seconds} | {found['n_bytes'] // 10**6:,} MB |")


if __name__ == "__main__":
    main()
