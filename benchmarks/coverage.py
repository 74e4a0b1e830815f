"""Measure how often the interval of a cross-fitted accuracy contains the accuracy on new groups.

    python -m benchmarks.coverage TABLE [--simulations 1000] [--accuracy 0.94] [--within 0.2]

Only the group sizes are taken from TABLE.

How it works
------------
1. Each class has a center in a space of 20 dimensions.  Each simulation draws as many groups as
   TABLE has.  A group has a class, a point near the center of the class, and rows near this point.
   `--within` is the standard deviation of the rows; near 0, all rows of a group are right or wrong
   together.
2. A ridge classifier is cross-fitted, and the interval of its accuracy is computed as in a run.
3. The true accuracy is the mean accuracy of many classifiers on new groups of one row each.  Each
   classifier is fitted to four fifths of another simulated table.

Prints the share of intervals that contain the true accuracy, the shares of intervals below and
above it, the mean width, and a row of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from scipy.optimize import brentq

from benchmarks.real_table import read_table
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.intervals import compute_intervals
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions
from job.stages.split.folds import cut_hash_folds

Array = np.ndarray[Any, Any]
N_CLASSES, WIDTH, N_FOLDS = 4, 20, 5
ALPHA = 1.0
N_TRUTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The distribution from which tables are drawn.

    Attributes
    ----------
    centers
        The classes' points, shape (N_CLASSES, WIDTH).
    sizes
        Rows of each group.
    within
        Standard deviation of the rows within a group.  The groups of a class have a standard
        deviation of 1.
    """

    centers: Array
    sizes: Array
    within: float

    def draw(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return X, class and group of each row."""
        sizes = rng.permutation(self.sizes)
        labels = rng.permutation(np.arange(len(sizes)) % N_CLASSES)
        groups = np.repeat(np.arange(len(sizes)), sizes)
        points = self.centers[labels] + rng.standard_normal((len(sizes), WIDTH))
        X = points[groups] + self.within * rng.standard_normal((len(groups), WIDTH))
        return X, labels[groups], groups


def fit(X: Array, y: Array) -> Array:
    """Return the weights of a ridge classifier, shape (WIDTH + 1, N_CLASSES)."""
    A = np.column_stack([X, np.ones(len(X))])
    target = 2.0 * (y[:, None] == np.arange(N_CLASSES)) - 1
    penalty = ALPHA * np.eye(A.shape[1])
    penalty[-1, -1] = 0
    weights: Array = np.linalg.solve(A.T @ A + penalty, A.T @ target)
    return weights


def classify(weights: Array, X: Array) -> Array:
    y_pred: Array = (np.column_stack([X, np.ones(len(X))]) @ weights).argmax(axis=1)
    return y_pred


def find_truth(world: World, rng: np.random.Generator, n: int = N_TRUTH) -> float:
    """Return the mean accuracy on new groups of models fitted to four fifths of a table."""
    single_rows = World(centers=world.centers, sizes=np.ones(1000, int), within=world.within)
    accuracies = []
    for _ in range(n):
        X, y, groups = world.draw(rng)
        kept = groups < round((1 - 1 / N_FOLDS) * len(world.sizes))
        X_new, y_new, _ = single_rows.draw(rng)
        accuracies.append((classify(fit(X[kept], y[kept]), X_new) == y_new).mean())
    return float(np.mean(accuracies))


def make_world(sizes: Array, accuracy: float, within: float) -> World:
    """Return a world whose classes are far enough apart for classifiers to reach the accuracy."""
    corners = np.zeros((N_CLASSES, WIDTH))
    corners[np.arange(N_CLASSES), np.arange(N_CLASSES)] = 1.0

    def miss(distance: float) -> float:
        world = World(centers=distance * corners, sizes=sizes, within=within)
        return find_truth(world, np.random.default_rng(0), 40) - accuracy

    distance = brentq(miss, 1.0, 12.0, xtol=0.01)
    return World(centers=distance * corners, sizes=sizes, within=within)


def simulate(world: World, seeds: range) -> list[tuple[float, float, float]]:
    """Return estimate, lower and upper bound of each simulation."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    spec, intervals = EvaluationSpec(), []
    for seed in seeds:
        rng = np.random.default_rng([1, seed])
        X, y, groups = world.draw(rng)
        fold = cut_hash_folds(y, groups, rng.random(len(world.sizes)), N_FOLDS)
        y_pred = np.empty(len(y), int)
        for n in range(N_FOLDS):
            y_pred[fold == n] = classify(fit(X[fold != n], y[fold != n]), X[fold == n])
        predictions = Predictions(
            classes=tuple("abcd"),
            y_true=y,
            proba=np.eye(N_CLASSES)[y_pred],
            model_classes=np.arange(N_CLASSES),
        )
        bootstrap = GroupBootstrap.of(groups, y, spec, seed)
        report = compute_intervals(predictions, bootstrap, is_cross_fitted=True)
        interval = dict(report.scores)["accuracy"]
        intervals.append((interval.value, interval.lower, interval.upper))
    return intervals


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--accuracy", type=float, default=0.94)
    parser.add_argument("--within", type=float, default=0.2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args(arguments)
    rows = read_table(options.table, options.set)[2]
    sizes = np.unique(rows.groups, return_counts=True)[1]
    world = make_world(sizes, options.accuracy, options.within)
    truth = find_truth(world, np.random.default_rng(2))
    parts = [range(n, options.simulations, options.workers) for n in range(options.workers)]
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [pool.submit(simulate, world, part) for part in parts]
        intervals = np.array([row for job in jobs for row in job.result()])
    value, lower, upper = intervals.T
    result = {
        "n_groups": len(sizes),
        "truth": round(truth, 4),
        "mean": round(float(value.mean()), 4),
        "coverage": round(float(((lower <= truth) & (truth <= upper)).mean()), 4),
        "below": round(float((upper < truth).mean()), 4),
        "above": round(float((lower > truth).mean()), 4),
        "width": round(float((upper - lower).mean()), 4),
    }
    print(json.dumps(result))
    cells = " | ".join(str(result[name]) for name in ("truth", "coverage", "below", "above"))
    print(
        f"| {len(sizes)} groups, within {options.within:g}, {options.simulations} times | {cells} |"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
