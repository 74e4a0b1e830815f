"""Measure the accuracy on batches of another class mix that are standardized on their own rows.

    python -m benchmarks.batches TABLE [--salts 10] [--recipe NAME ...] [--set KEY=VALUE]

For each salt, another fifth of the groups is held out.  The other groups are used to train:

    given                 logistic regression (C=10) on the columns as they are
    given_augmented       the same, trained additionally on batches of the training rows
    restored              logistic regression on rows that were restored to length 1
    prototypes            the default recipe: prototypes at a temperature of 0.1 on restored rows,
                          made robust to restandardized batches
    prototypes_augmented  prototypes trained additionally on batches of the training rows

Batches are drawn from the held-out rows as for the stress score of a run: 85% of the rows are of
one class, and the columns are standardized within the batch.  Training on batches doubles the rows:
the added rows are batches of 500 rows with the same class mixes.

For recipes on restored rows, the accuracy after a consumer recenters the batch is measured as well.

Prints one line for each salt and recipe: accuracy on the held-out rows, on the batches, and on the
batches of each class.  Then prints one JSON object of means over the salts, and rows of
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.real_table import read_table
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.stress import measure_stress
from job.stages.evaluation.stress_batches import Columns, draw_batch
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.geometry import detect_geometry
from job.stages.metrics.predictions import predict
from job.stages.training.cross_fit import plan_folds
from job.stages.training.refit import train_model

N_FOLDS = 5
N_AUGMENTED_ROWS = 500  # in each batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An estimator, its parameters and its training rows."""

    estimator: str
    parameters: tuple[tuple[str, Any], ...]
    is_restored: bool
    is_augmented: bool = False


LOGISTIC = Recipe(estimator="logistic_regression", parameters=(("C", 10.0),), is_restored=False)
PROTOTYPES = Recipe(
    estimator="prototypes",
    parameters=(("temperature", 0.1),),
    is_restored=True,
)
RECIPES = {
    "given": LOGISTIC,
    "given_augmented": replace(LOGISTIC, is_augmented=True),
    "restored": replace(LOGISTIC, is_restored=True),
    "prototypes": PROTOTYPES,
    "prototypes_augmented": replace(PROTOTYPES, is_augmented=True),
}


def augment(rows: Rows, columns: Columns, seed: int) -> Rows:
    """Return the rows and about as many additional rows, in restandardized batches."""
    assert rows.embeddings is not None
    rng, y = np.random.default_rng(seed), rows.y.astype(str)
    rows_by_class = {name: np.flatnonzero(y == name) for name in np.unique(y).tolist()}
    batches = []
    for n in range(len(rows) // N_AUGMENTED_ROWS):
        name = list(rows_by_class)[n % len(rows_by_class)]
        batches.append(draw_batch(rows_by_class, name, N_AUGMENTED_ROWS, rng))
    standardized = [columns.standardize(rows.embeddings.take(batch).read()) for batch in batches]
    matrix = np.concatenate([rows.embeddings.read(), *standardized])
    index = np.concatenate([np.arange(len(rows)), *batches])
    return replace(rows.take(index), embeddings=MatrixRows(matrix, np.arange(len(index))))


def fit(recipe: Recipe, train: Rows, columns: Columns, plan: Plan, ports: Ports) -> TrainedModel:
    """Train one recipe as a run does, without a search."""
    spec, seed = plan.settings.training, plan.settings.random_state
    features = spec.features.model_copy(
        update={"geometry": "auto" if recipe.is_restored else "given"}
    )
    geometry = detect_geometry(train, features, seed, ports.executor)
    if recipe.is_restored and (geometry is None or geometry.map is None):
        raise SystemExit("the rows cannot be restored to length 1")
    rows = augment(train, columns, seed) if recipe.is_augmented else train
    feature_matrices = FeatureMatrices(
        rows, features, spec.columns, ports.matrices, ports.executor, geometry=geometry
    )
    chosen = CandidateScore(
        estimator=recipe.estimator,
        parameters=recipe.parameters,
        feature_blocks=("embeddings",),
        fold_scores=(0.0,),
    )
    report = SearchReport(
        metric=spec.search.metric.name, candidates=(chosen,), chosen=chosen, baselines=()
    )
    return train_model(
        rows,
        feature_matrices,
        report,
        spec,
        ports.executor,
        handles_restandardized_batches=not recipe.is_augmented,
    )


def evaluate_recipe(
    model: TrainedModel, test: Rows, columns: Columns, seed: int, *, is_restored: bool
) -> dict[str, Any]:
    """Return accuracies on the held-out rows, on all batches, and on the batches of each class."""
    predictions = predict(model.pipeline, test, model.feature_blocks)
    stress = measure_stress(
        model,
        test,
        columns,
        stated_by="settings",
        is_restored=is_restored,
        spec=EvaluationSpec(),
        random_state=seed,
    )
    if stress is None:
        raise SystemExit("no class has held-out rows enough for a batch")
    return {
        "held_out": round(float((predictions.y_pred == predictions.y_true).mean()), 4),
        "batches": round(stress.accuracy, 4),
        "classes": {score.name: round(score.accuracy, 4) for score in stress.classes},
        "recentered": {
            score.name: round(score.accuracy_recentered, 4)
            for score in stress.classes
            if score.accuracy_recentered is not None
        },
    }


def average(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the means over the salts."""

    def mean(values: list[float]) -> float:
        return round(float(np.mean(values)), 4)

    def by_class(part: str) -> dict[str, float]:
        names = sorted({name for result in results for name in result[part]})
        return {
            name: mean([result[part][name] for result in results if name in result[part]])
            for name in names
        }

    return {
        "held_out": mean([result["held_out"] for result in results]),
        "batches": mean([result["batches"] for result in results]),
        "classes": by_class("classes"),
        "recentered": by_class("recentered"),
    }


def print_row(name: str, held_out: float, classes: dict[str, float]) -> None:
    """Print accuracy on held-out rows, mean accuracy on batches, and accuracy for each class."""
    values = (held_out, float(np.mean(list(classes.values()))), *classes.values())
    print(f"| {name} | {' | '.join(f'{value:.4f}' for value in values)} |")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--salts", type=int, default=10)
    parser.add_argument("--recipe", action="append", choices=RECIPES)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args(arguments)
    names = options.recipe or list(RECIPES)
    plan, ports, rows = read_table(options.table, options.set)
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for salt in range(options.salts):
        folds = plan_folds(rows, N_FOLDS, str(salt))
        if folds is None or rows.embeddings is None:
            raise SystemExit("the table has no embeddings, or too few groups to hold some out")
        kept, held_out = folds.folds[0]
        train, test = rows.take(kept), rows.take(held_out)
        columns = Columns.of(rows.embeddings)
        for name in names:
            model = fit(RECIPES[name], train, columns, plan, ports)
            results[name].append(
                evaluate_recipe(model, test, columns, salt, is_restored=RECIPES[name].is_restored)
            )
            print(json.dumps({"salt": salt, "recipe": name, **results[name][-1]}), flush=True)
    means = {name: average(runs) for name, runs in results.items()}
    print(json.dumps(means))
    for name, mean in means.items():
        print_row(name, mean["held_out"], mean["classes"])
        if mean["recentered"]:
            print_row(f"{name}, recentered", mean["held_out"], mean["recentered"])


if __name__ == "__main__":
    main(sys.argv[1:])
