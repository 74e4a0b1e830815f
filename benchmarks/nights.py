"""Retrain every night on a changing table, and count the candidates that pass the gate.

    python -m benchmarks.nights TABLE [--chains 20] [--nights 10] [--workers 2]

How it works
------------
1. Each chain draws four fifths of the table's groups; every night, a fifth of these is replaced.
2. Each night the recipe (by default prototypes at a temperature of 0.1 on restored rows) is fitted
   to the folds of the search and of the cross-fitted evaluation.
3. The gate decides as in a run.  The first promotion that `gate.inconclusive` allows sets the
   anchor.

equal     nights after the first one: how many candidates are promoted
wrong     the same nights, with wrong predictions for a tenth of the rows, in random whole groups
shuffled  one night per chain, with the labels of one class shuffled among all classes

Prints one JSON object and a row of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import structlog

from benchmarks.real_table import read_table
from job.contracts.dataset import Rows
from job.contracts.lineage_key import LineageKey
from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.evaluation import CandidateEvaluation
from job.contracts.reports.gate import GateDecision
from job.contracts.reports.scores import Latency
from job.contracts.reports.search import SearchReport
from job.registry.champion import PublishedVersion
from job.stages.evaluation.evaluate import evaluate_rows
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.geometry import detect_geometry
from job.stages.gate.comparison import compare_errors
from job.stages.gate.criteria import decide
from job.stages.gate.group_errors import GroupErrors, count_group_errors
from job.stages.gate.power import measure_equal_error
from job.stages.metrics.predictions import Predictions
from job.stages.split.split import DataSplit, SplitRules, split_dataset
from job.stages.training.cross_fit import cross_fit, plan_folds
from job.stages.training.search import search

RECIPE = "search.estimators={prototypes: {temperature: [0.1]}}"  # the default choice
KEY = LineageKey(bytes(32))
TABLE_SHARE = 0.8
NEW_SHARE = 0.2
WRONG_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One retraining: predictions of all rows of its table, and the noise between retrainings."""

    name: str
    rows: Rows
    predictions: Predictions
    errors: GroupErrors
    equal_error: tuple[str, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of nights and of promotions, for each kind of night."""

    equal: tuple[int, int] = (0, 0)
    wrong: tuple[int, int] = (0, 0)
    shuffled: tuple[int, int] = (0, 0)

    def plus(self, other: Counts) -> Counts:
        pairs = {
            name: tuple(np.add(getattr(self, name), getattr(other, name)).tolist())
            for name in self.__slots__
        }
        return Counts(**pairs)


class Job:
    """The stages of a run that a night needs."""

    def __init__(self, plan: Plan, ports: Ports) -> None:
        self._plan, self._ports, self._s = plan, ports, plan.settings

    def retrain(self, name: str, rows: Rows) -> Night:
        s, executor = self._s, self._ports.executor
        split = self._split(rows)
        report = self._search(split)
        feature_matrices = self._prepare(split.kept)
        folds = plan_folds(split.kept, s.evaluation.cross_fit_folds, s.split.salt)
        assert folds is not None
        cross = cross_fit(
            split.kept,
            split.train_index,
            feature_matrices,
            report,
            spec=s.training,
            executor=executor,
            plan=folds,
        )
        y_pred, groups = cross.chosen.y_pred[split.train_index], split.train.groups
        assert report.labels is not None
        standard_error = measure_equal_error(report.labels, 0, y_pred, groups, s.paired)
        return Night(
            name=name,
            rows=split.kept,
            predictions=cross.nested,
            errors=count_group_errors(cross.nested, split.kept, KEY),
            equal_error=None if standard_error is None else (report.metric, standard_error),
        )

    def decide(self, night: Night, rivals: dict[str, Night]) -> GateDecision:
        s = self._s
        rows = replace(night.rows, slices=None)
        evaluated = EvaluatedRows.of(rows, night.predictions, s.scoring)
        scores = evaluate_rows(evaluated, s.scoring, is_cross_fitted=True)
        comparisons = tuple(
            comparison
            for role, rival in rivals.items()
            if (comparison := self._compare(role, rival, night)) is not None
        )
        assert len(comparisons) == len(rivals)
        evaluation = CandidateEvaluation(
            **scores.fields(),
            temperature=None,
            decision=None,
            baselines={},
            latency=Latency(p50_ms=0.0, p95_ms=0.0),  # no model is timed here
        )
        return decide(evaluation, 0, comparisons, s.gate, equal_error=night.equal_error)

    def turn_wrong(self, night: Night, rng: np.random.Generator) -> Night:
        groups, sizes = np.unique(night.rows.groups, return_counts=True)
        order = rng.permutation(len(groups))
        n_groups = int(np.abs(np.cumsum(sizes[order]) - WRONG_SHARE * sizes.sum()).argmin()) + 1
        is_wrong = np.isin(night.rows.groups, groups[order[:n_groups]])
        proba = night.predictions.proba.copy()
        n = len(night.predictions.classes)
        proba[is_wrong] = np.eye(n)[(night.predictions.y_true[is_wrong] + 1) % n]
        predictions = replace(night.predictions, proba=proba)
        errors = count_group_errors(predictions, night.rows, KEY)
        return replace(night, predictions=predictions, errors=errors)

    def _compare(self, role: Any, rival: Night, night: Night) -> Comparison | None:
        champion = PublishedVersion(version=rival.name, files={}, role=role)
        return compare_errors(champion, rival.errors, night.errors, self._s.paired)

    def _split(self, rows: Rows) -> DataSplit:
        return split_dataset(rows, None, SplitRules.of(self._s, self._plan.labels))

    def _prepare(self, rows: Rows) -> FeatureMatrices:
        spec, ports = self._s.training, self._ports
        geometry = detect_geometry(rows, spec.features, spec.random_state, ports.executor)
        return FeatureMatrices(
            rows, spec.features, spec.columns, ports.matrices, ports.executor, geometry=geometry
        )

    def _search(self, split: DataSplit) -> SearchReport:
        ports, feature_matrices = self._ports, self._prepare(split.train)
        return search(split.train, feature_matrices, self._s.training, ports.executor, ports.timer)


def simulate_chain(uri: str, sets: list[str], seed: int, nights: int) -> Counts:
    """Simulate one chain of nights; return the counts."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    plan, ports, table = read_table(uri, [RECIPE, "search.workers=1", *sets])
    job, rng, counts = Job(plan, ports), np.random.default_rng(seed), Counts()
    groups = rng.permutation(np.unique(table.groups))
    present = groups[: round(TABLE_SHARE * len(groups))]

    def take(selected: Any) -> Rows:
        return table.take(np.isin(table.groups, selected))

    champion = job.retrain("night0", take(present))
    anchor: Night | None = None
    shuffled_night = int(rng.integers(1, nights))
    for n in range(1, nights):
        absent = np.setdiff1d(groups, present)
        n_new = min(round(NEW_SHARE * len(present)), len(absent))
        present = np.concatenate(
            [rng.permutation(present)[: len(present) - n_new], rng.permutation(absent)[:n_new]]
        )
        rows, rivals = take(present), {"champion": champion}
        if anchor is not None and anchor.name != champion.name:
            rivals["anchor"] = anchor
        night = job.retrain(f"night{n}", rows)
        decision = job.decide(night, rivals)
        wrong = job.decide(job.turn_wrong(night, rng), rivals)
        counts = counts.plus(
            Counts(equal=(1, int(decision.is_accepted)), wrong=(1, int(wrong.is_accepted)))
        )
        if n == shuffled_night:
            bad = job.decide(job.retrain("shuffled", shuffle(rows, rng)), rivals)
            counts = counts.plus(Counts(shuffled=(1, int(bad.is_accepted))))
        if decision.is_accepted:
            if anchor is None and decision.rests_on_default:
                anchor = champion
            champion = night
    return counts


def shuffle(rows: Rows, rng: np.random.Generator) -> Rows:
    """Return the rows with the labels of one class redrawn from all classes."""
    y = rows.y.copy()
    classes = np.unique(y.astype(str))
    is_shuffled = y == rng.choice(classes)
    y[is_shuffled] = rng.choice(classes, int(is_shuffled.sum()))
    return replace(rows, y=y)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--chains", type=int, default=20)
    parser.add_argument("--nights", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args(arguments)
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [
            pool.submit(simulate_chain, options.table, options.set, seed, options.nights)
            for seed in range(options.chains)
        ]
        counts = Counts()
        for job in jobs:
            counts = counts.plus(job.result())
            print(json.dumps({n: getattr(counts, n) for n in counts.__slots__}), file=sys.stderr)
    result = {name: getattr(counts, name) for name in counts.__slots__}
    print(json.dumps({"chains": options.chains, "nights": options.nights, **result}))
    cells = " | ".join(f"{n_passed} of {n}" for n, n_passed in result.values())
    print(f"| {options.chains} chains of {options.nights} nights | {cells} |")


if __name__ == "__main__":
    main(sys.argv[1:])
