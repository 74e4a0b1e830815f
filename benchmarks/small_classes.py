"""Measure how often the intervals of hold-outs with many small classes contain the truth.

    python -m benchmarks.small_classes [--simulations 200]

How it works
------------
1. A model has a probability for each pair of true and predicted class, drawn anew for each
   simulation.  A hold-out has rows that are drawn from these probabilities.
2. The true scores follow from the probabilities, as averages over the classes of the hold-out.

Prints, for each size of hold-out, the share of intervals that contain the true score, and the
mean width of the intervals, as rows of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import Any, Final

import numpy as np

from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.label_metrics import LabelScores, count_columns

Array = np.ndarray[Any, Any]
_SETTINGS: Final = ((77, 217, 0.65), (77, 217, 0.9), (20, 300, 0.8), (8, 60, 0.7))
_METRICS: Final = ("accuracy", "balanced_accuracy", "precision_macro", "f1_macro")
_N_RESAMPLES: Final = 1000


def draw_model(rng: np.random.Generator, n_classes: int, accuracy: float) -> Array:
    """Return the probability of each pair of true and predicted class, (n_classes, n_classes)."""
    shares = np.exp(0.5 * rng.standard_normal(n_classes))
    recalls = np.clip(accuracy + 0.25 * rng.standard_normal(n_classes), 0.05, 0.99)
    predicted = np.zeros((n_classes, n_classes))
    for n in range(n_classes):
        others = rng.choice(np.delete(np.arange(n_classes), n), size=4, replace=False)
        predicted[n, others] = (1 - recalls[n]) * rng.dirichlet(np.ones(4))
        predicted[n, n] = recalls[n]
    joint: Array = (shares / shares.sum())[:, None] * predicted
    return joint


def measure_coverage(
    n_classes: int, n_rows: int, accuracy: float, n_simulations: int, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return, by score, the share of 95% intervals that contain the truth, and their mean width."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for number in range(n_simulations):
        joint = draw_model(rng, n_classes, accuracy)
        cells = rng.choice(joint.size, size=n_rows, p=joint.ravel())
        y_true, y_pred = np.divmod(cells, n_classes)
        bootstrap = GroupBootstrap(
            np.arange(n_rows), y_true, n_resamples=_N_RESAMPLES, alpha=0.025, random_state=number
        )
        sums = bootstrap.count(count_columns(y_true, y_pred, n_classes), 3 * n_classes)
        scores = LabelScores(sums.total)
        names = [metric.name for metric in scores.metrics]
        bounds = bootstrap.measure(sums, scores.measure).bounds(slice(0, len(names)))
        counts = np.concatenate([joint.sum(axis=1), joint.sum(axis=0), np.diag(joint)])
        truth = scores.measure(counts[None])[0]
        for name in _METRICS:
            low, high = bounds[:, names.index(name)]
            found[name].append((bool(low <= truth[names.index(name)] <= high), high - low))
    return {
        name: (float(np.mean([c for c, _ in pairs])), float(np.mean([w for _, w in pairs])))
        for name, pairs in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=200)
    n_simulations = parser.parse_args().simulations
    for n_classes, n_rows, accuracy in _SETTINGS:
        found = measure_coverage(n_classes, n_rows, accuracy, n_simulations)
        cells = " | ".join(f"{share:.3f} ({width:.3f})" for share, width in found.values())
        print(f"| {n_classes} classes, {n_rows} rows, accuracy {accuracy} | {cells} |")


if __name__ == "__main__":
    main()
