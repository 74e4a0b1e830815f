"""A cheap cell of each benchmark on the upstream's table; docs/benchmarks.md has complete ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.data
TABLE = "upstream/curated_training_data_10000.parquet"


def run(module, shared_data, *arguments):
    """Run a benchmark, and return the last JSON object that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", shared_data / TABLE, *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("| ")
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def test_verdict_does_not_hang_on_the_salt(shared_data):
    """Two salts with defaults: both are published, neither has a threshold."""
    found = run("salts", shared_data, "--salts", "1")

    assert (2, 2, 0) == (found["runs"], found["published"], found["thresholds"])
    assert 2 == found["intervals_that_hold_the_mean_of_the_others"]
    assert found["largest_class_share_difference"] <= 0.06


def test_night_after_the_first_is_promoted_and_a_wrong_one_is_not(shared_data):
    """The benchmark runs one chain of two nights."""
    found = run("nights", shared_data, "--chains", "1", "--nights", "2", "--workers", "1")

    assert [[1, 1], [1, 0], [1, 0]] == [found["equal"], found["wrong"], found["shuffled"]]


def test_recentering_mends_batches_that_were_standardized_anew(shared_data):
    """With one salt, a linear model of the given columns is wrong on a fifth or more."""
    recipes = ("--recipe", "given", "--recipe", "restored")
    found = run("batches", shared_data, "--salts", "1", *recipes)
    restored = found["restored"]

    assert found["given"]["batches"] < 0.8
    assert min(restored["recentered"].values()) > max(restored["classes"].values()) + 0.1


def test_interval_of_a_cross_fitted_accuracy_covers_it(shared_data):
    """40 simulations, nominal 95 %; fewer than 33 would have a probability of 1 in 10,000."""
    found = run("coverage", shared_data, "--simulations", "40", "--workers", "1")

    assert found["coverage"] >= 33 / 40
    assert 264 == found["n_groups"]
