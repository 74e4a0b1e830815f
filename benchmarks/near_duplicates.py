"""Measure the search for near-duplicates and persons on generated texts or embeddings.

    python -m benchmarks.near_duplicates texts 10000 100000 1000000 [--workers 2]
    python -m benchmarks.near_duplicates templates 1000000
    python -m benchmarks.near_duplicates embeddings 100000

texts       15 words each, drawn from 30,000 words by Zipf's law; one in ten is a near-copy
templates   a thousand sentences with varying names and slots: large groups of near-duplicates
embeddings  384 numbers each; one in ten is a near-copy

Each size runs in its own process.  Prints the seconds for masking and for the search, the CPU
seconds of all processors, the peak memory and the search's share of it, the number of groups, the
seconds and the memory for numbering persons, and a row of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from job.adapters.executors.local import LocalThreads
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.split import SplitSpec
from job.stages.data.leakage_keys import normalize
from job.stages.data.persons import number_persons
from job.stages.data.templates import make_templates
from job.stages.split.near_duplicates import choose_similarity_source, find_near_duplicate_groups

N_WORDS = 30_000
LENGTH = 15


def make_words(rng: np.random.Generator) -> Any:
    """Draw words without digits, two to ten letters long."""
    letters = rng.choice(list("etaoinshrdlucmfw"), (N_WORDS, 10))
    lengths = rng.integers(2, 11, N_WORDS)
    return np.array(
        ["".join(row[:length]) for row, length in zip(letters, lengths, strict=True)], object
    )


def generate_texts(n_rows: int) -> list[str]:
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, N_WORDS + 1) ** 0.9
    drawn = rng.choice(N_WORDS, (n_rows, LENGTH), p=share / share.sum())
    n_copies = n_rows // 10
    drawn[:n_copies] = drawn[n_copies : 2 * n_copies]
    drawn[np.arange(n_copies), rng.integers(0, LENGTH, n_copies)] = rng.integers(
        0, N_WORDS, n_copies
    )
    return [" ".join(row) for row in make_words(rng)[drawn]]


def generate_templates(n_rows: int) -> list[str]:
    rng = np.random.default_rng(0)
    words = make_words(rng)
    sentences = [" ".join(row) for row in words[rng.integers(0, N_WORDS, (1000, LENGTH - 3))]]
    names = words[rng.integers(0, N_WORDS, (n_rows, 2))]
    numbers = rng.integers(0, 10**6, n_rows)
    drawn = rng.integers(0, 1000, n_rows)
    return [
        f"{a} {b} {sentences[s]} {n}"
        for (a, b), s, n in zip(names, drawn.tolist(), numbers.tolist(), strict=True)
    ]


def generate_embeddings(n_rows: int) -> Any:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 384), np.float32)
    n_copies = n_rows // 10
    X[:n_copies] = X[n_copies : 2 * n_copies] + 0.1 * rng.standard_normal((n_copies, 384))
    return X


def measure(table: str, n_rows: int, workers: int) -> dict[str, Any]:
    if table == "embeddings":
        matrix, texts = generate_embeddings(n_rows), None
        keys = np.array([f"embedding:{n}" for n in range(n_rows)], object)
    else:
        generated = generate_texts(n_rows) if table == "texts" else generate_templates(n_rows)
        matrix, texts = None, np.array(generated, object)
        keys = np.array([f"text:{normalize(text)}" for text in generated], object)
    rows = Rows(
        y=np.array([str(n % 4) for n in range(n_rows)], object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=None if matrix is None else MatrixRows(matrix, np.arange(n_rows)),
        frame=pd.DataFrame(index=range(n_rows)),
    )
    before, started, worked = peak_bytes(), time.perf_counter(), time.process_time()
    if texts is not None:
        rows = replace(rows, templates=make_templates(texts, keys))
    masked = time.perf_counter()
    kind = choose_similarity_source(rows, SplitSpec())
    (grouped,) = find_near_duplicate_groups([rows], SplitSpec(), kind, LocalThreads(workers))
    ended, worked = time.perf_counter(), time.process_time() - worked
    peak = peak_bytes()
    persons = number_persons(grouped, texts)
    numbered = time.perf_counter()
    assert grouped.near_duplicate_groups is not None
    return {
        "n_rows": n_rows,
        "masking_seconds": round(masked - started, 2),
        "search_seconds": round(ended - masked, 2),
        "processor_seconds": round(worked, 2),
        "peak_mb": peak // 10**6,
        "added_mb": (peak - before) // 10**6,
        "n_families": int(grouped.near_duplicate_groups.max()) + 1,
        "largest": int(np.bincount(grouped.near_duplicate_groups).max()),
        "persons_seconds": round(numbered - ended, 2),
        "persons_mb": (peak_bytes() - peak) // 10**6,
        "n_persons": len(np.unique(persons)),
    }


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=["texts", "templates", "embeddings"])
    parser.add_argument("rows", type=int, nargs="+")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(measure(options.table, options.rows[0], options.workers)))
        return
    for n_rows in options.rows:
        arguments = [options.table, str(n_rows), "--workers", str(options.workers), "--alone"]
        command = [sys.executable, "-m", "benchmarks.near_duplicates", *arguments]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        result = json.loads(done.stdout)
        print(result)
        seconds = result["masking_seconds"] + result["search_seconds"]
        processors = result["processor_seconds"]
        print(
            f"| {options.table}, {n_rows:,} | {seconds:.1f} s | {processors:.1f} s "
            f"| {result['added_mb']:,} MB | {result['persons_seconds']:.1f} s |"
        )


if __name__ == "__main__":
    main()
