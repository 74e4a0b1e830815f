"""Benchmarks run; the contenders of the search agree, and the lineage counts what changed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.lineage import measure
from benchmarks.search import C


@pytest.mark.parametrize("table", ["embeddings", "texts"])
def test_contenders_agree(table):
    """Both engines agree; with scikit-learn's default tolerance and few rows, they almost agree."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.search", table, "800", "--repetitions", "1"),
            *("--contenders", "fast,reference,naive"),
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = next(json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))

    reference = next(line for line in done.stderr.splitlines() if line.startswith("reference {"))
    folds = json.loads(reference.removeprefix("reference "))["folds"]
    means = dict(zip(C, (sum(scores) / len(scores) for scores in folds), strict=True))
    assert max(means.values()) - means[found["C"]["fast"]] <= 0.005  # a row or two
    assert 0.98 <= found["reference"]["labels_equal"]  # a row or two
    assert found["reference"]["largest_difference_of_a_fold"] <= 0.02  # a row or two
    assert found["naive"]["f1_difference"] <= 0.05
    assert done.stdout.splitlines()[-1].startswith(f"| {table} 800 |")


def test_changed_groups_of_a_generated_table_are_counted():
    """Some groups have two rows."""
    found = measure(20_000)

    assert found["n_changed"] == 900
    assert found["n_bytes"] <= 30 * 20_000


def test_refusals_have_their_exit_codes():
    """The benchmark fails if a case does not end with its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.refusals", "--repetitions", "1"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert 0 == done.returncode, done.stderr[-2000:]
    assert done.stdout.count("\n") == 9
