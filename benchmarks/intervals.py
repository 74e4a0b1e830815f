"""Check that every interval contains its score, on many small and lopsided hold-outs.

    python -m benchmarks.intervals 10000

How it works
------------
1. A hold-out has 1 to 300 groups, of 1 to 5 rows, in 2 to 80 classes of very different sizes.  The
   model knows most of the classes, and is right in 5% to 100% of the rows.
2. The intervals of all scores are computed as in a run, also as cross-fitted scores; and those of
   the coverage and precision of a threshold, of slices, and of the difference to another model.
3. A finding is an interval that does not contain its score, or a score without an interval for
   which `absent` gives no reason.

Prints the number of hold-outs, intervals and findings, by kind.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from job.contracts.metrics import METRICS
from job.contracts.reports.decision_threshold import Threshold
from job.contracts.reports.intervals import Interval
from job.contracts.settings.evaluation import EvaluationSpec
from job.contracts.settings.gate import PairedSpec
from job.stages.evaluation.evaluate import evaluate_predictions
from job.stages.evaluation.intervals import compute_intervals
from job.stages.evaluation.slice_scores import score_slices
from job.stages.gate.paired_bootstrap import compare_pair
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions
from job.stages.training.decision_threshold import measure_abstention

Array = np.ndarray[Any, Any]
_ROUNDED = 2e-6  # published numbers have six decimals


def make_holdout(rng: np.random.Generator) -> tuple[Predictions, Predictions, Array]:
    """Return the predictions of two models for the same rows, and the group of each row."""
    n_classes = int(rng.integers(2, rng.choice([3, 10, 81])))
    sizes = rng.integers(1, rng.choice([2, 6]), size=rng.integers(1, rng.choice([4, 30, 300])))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    shares = np.exp(rng.choice([0, 1, 3]) * rng.standard_normal(n_classes))
    label = rng.choice(n_classes, p=shares / shares.sum(), size=len(sizes))
    y = np.where(rng.random(len(groups)) < 0.9, label[groups], rng.integers(n_classes))
    known = np.flatnonzero(rng.random(n_classes) < rng.choice([0.8, 1]))
    known = known if len(known) > 1 else np.arange(2)
    models = [_predict(rng, y, known, n_classes) for _ in range(2)]
    return models[0], models[1], groups


def _predict(rng: np.random.Generator, y: Array, known: Array, n_classes: int) -> Predictions:
    accuracy = rng.choice([0.05, 0.6, 0.95, 1.0])
    logits = rng.standard_normal((len(y), len(known)))
    is_right = rng.random(len(y)) < accuracy
    logits += 8 * (known == y[:, None]) * is_right[:, None]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(
        classes=tuple(f"c{n:02}" for n in range(n_classes)),
        y_true=y,
        proba=proba,
        model_classes=known,
    )


def find_violations(rng: np.random.Generator, n_resamples: int = 1000) -> tuple[Counter[str], int]:
    """Return the findings of one hold-out by kind, and the number of intervals."""
    predictions, other, groups = make_holdout(rng)
    spec = EvaluationSpec(resamples=n_resamples)
    bootstrap = GroupBootstrap.of(groups, predictions.y_true, spec, int(rng.integers(2**31)))
    scores = evaluate_predictions(predictions).scores
    found: Counter[str] = Counter()
    n_intervals = 0
    for is_cross_fitted in (False, True):
        report = compute_intervals(predictions, bootstrap, is_cross_fitted=is_cross_fitted)
        kind = "cross-fitted" if is_cross_fitted else "held out"
        for name in METRICS.keys() - report.scores.keys() - report.absent.keys():
            found[f"{kind} {name}: absent without a reason"] += 1
        for name, interval in _all_intervals(report.scores, report.per_class):
            n_intervals += 1
            value = scores.get(name, interval.value)
            if not _holds(interval, value):
                found[f"{kind} {name}"] += 1
    for name, interval in _others(predictions, other, groups, bootstrap):
        n_intervals += 1
        if not _holds(interval, interval.value):
            found[name] += 1
    return found, n_intervals


def _all_intervals(
    scores: Mapping[str, Interval], per_class: Mapping[str, Mapping[str, Interval]]
) -> Iterator[tuple[str, Interval]]:
    yield from scores.items()
    for intervals in per_class.values():
        yield from ((f"{name} of a class", interval) for name, interval in intervals.items())


def _others(
    predictions: Predictions, other: Predictions, groups: Array, bootstrap: GroupBootstrap
) -> Iterator[tuple[str, Interval]]:
    """Yield the intervals of a threshold, of slices and of the difference of two models."""
    threshold = Threshold(
        target_precision=0.9,
        value=0.5,
        status="chosen",
        reason="",
        n_rows=0,
        n_groups=0,
        learned_on="table",
    )
    decision = measure_abstention(predictions, bootstrap, threshold)
    yield from (
        (f"threshold, {name}", interval)
        for name in ("coverage", "precision")
        if (interval := getattr(decision, name)) is not None
    )
    metric = METRICS["f1_macro"]
    slices = pd.DataFrame({"s": pd.Categorical(np.where(groups % 2, "a", "b"))})
    for part in score_slices(predictions, bootstrap, slices, metric, min_rows=1).scores:
        yield "slice", part.accuracy
    spec = PairedSpec(metric=metric, resamples=bootstrap.n_resamples, alpha=0.05, random_state=0)
    difference = compare_pair(other, predictions, groups, spec)
    if difference.interval is not None:
        yield "difference of two models", difference.interval
    yield from (("change of a recall", change.difference) for change in difference.recalls.values())


def _holds(interval: Interval, value: float) -> bool:
    return interval.lower - _ROUNDED <= value <= interval.upper + _ROUNDED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n_holdouts", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found: Counter[str] = Counter()
    n_intervals = 0
    for number in range(options.n_holdouts):
        violations, n = find_violations(np.random.default_rng([options.seed, number]))
        found += violations
        n_intervals += n
    for kind, count in found.most_common():
        print(f"{count} times: {kind}")
    print(
        f"| {options.n_holdouts} hold-outs | {n_intervals} intervals | {found.total()} findings |"
    )
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
