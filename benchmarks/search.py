"""Compare the search with a plain scikit-learn script, and with one scikit-learn fit.

    python -m benchmarks.search embeddings 100000 [--repetitions 3] [--contenders naive,one,fast]
    python -m benchmarks.search embeddings 10000 100000 1000000 --contenders fast
    python -m benchmarks.search texts 100000
    python -m benchmarks.search banking77|privacyqa --data FOLDER
    python -m benchmarks.search embeddings 20000 --estimator linear_svc

The contenders alternate, each in its own process, on the same rows, features and folds:

naive      GridSearchCV over a pipeline of features and the estimator: six values of C, five folds,
           two jobs, scikit-learn's defaults except max_iter, embeddings as float64, no
           probabilities for a LinearSVC (the job adds them)
one        the naive pipeline, fitted once, with the C that the fast engine chose and with one BLAS
           thread, which is fastest
reference  the job's search and refit, each candidate by scikit-learn, to the job's tolerance
fast       the job's search and refit

Prints the minimum, median and maximum of the seconds, the peak memory of the process (without the
naive script's child processes), how far the results agree, and a row of docs/benchmarks.md.  For
several sizes, also prints the log-log slopes of the fast engine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV

from benchmarks.naive_pipeline import KINDS, as_double, naive_pipeline
from benchmarks.search_data import read_rows, write_data
from job.adapters.executors.local import LocalThreads
from job.adapters.host_limits import Memory, return_freed_memory
from job.adapters.matrix_allocator import MappedMatrices
from job.contracts.dataset import Rows
from job.contracts.model import TrainedModel
from job.contracts.reports.search import SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import make_input
from job.stages.split.folds import make_folds
from job.stages.training.refit import train_model
from job.stages.training.search import search

C = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
CONTENDERS = ("naive", "one", "reference", "fast")
WORKERS = 2


def make_spec(table: str, engine: str, estimator: str) -> TrainingSpec:
    features = {
        "embeddings": FeatureSpec(use=("embeddings",)),
        "texts": FeatureSpec(use=("text",), analyzers=("word",), min_groups=2),
        "banking77": FeatureSpec(use=("text", "embeddings"), analyzers=("word",), min_groups=2),
        "privacyqa": FeatureSpec(use=("embeddings",)),
    }[table]
    return TrainingSpec(
        search=SearchSpec(estimators={estimator: {"C": list(C)}}, folds=5, engine=engine),
        features=features,
        columns=ColumnsSpec(),
        random_state=0,
    )


def search_and_refit(
    train: Rows, spec: TrainingSpec, executor: LocalThreads, matrices: MappedMatrices
) -> tuple[SearchReport, TrainedModel]:
    """Run the part of the job that is between the split and the evaluation."""
    feature_matrices = FeatureMatrices(train, spec.features, spec.columns, matrices, executor)
    report = search(train, feature_matrices, spec, executor, time.perf_counter)
    return report, train_model(train, feature_matrices, report, spec, executor)


def contend(name: str, table: str, folder: Path, chosen: float, estimator: str) -> dict[str, Any]:
    """Run one contender and return its results; reading the rows is not timed."""
    train, test = read_rows(folder, "train"), read_rows(folder, "test")
    spec = make_spec(table, "reference" if name == "reference" else "fast", estimator)
    feature_blocks = spec.features.use
    if name in ("naive", "one"):
        X, y = as_double(make_input(train, feature_blocks)), train.y.astype(str)
        width = 0 if train.embeddings is None else train.embeddings.shape[1]
        pipeline = naive_pipeline(table, width, estimator)
        folds = make_folds(train, 5, 0)
        started = time.perf_counter()
        # NOTE: more BLAS threads make it slower
        with threadpoolctl.threadpool_limits(1):
            if name == "one":
                model = pipeline.set_params(model__C=chosen).fit(X, y)
                result: dict[str, Any] = {"C": chosen}
            else:
                model = GridSearchCV(
                    pipeline, {"model__C": list(C)}, cv=folds, n_jobs=WORKERS, scoring="f1_macro"
                ).fit(X, y)
                result = {"C": model.best_params_["model__C"]}
    else:
        return_freed_memory()
        executor = LocalThreads(WORKERS)
        matrices = MappedMatrices(folder, None, Memory())
        started = time.perf_counter()
        report, trained = search_and_refit(train, spec, executor, matrices)
        model = trained.pipeline
        result = {"C": dict(report.chosen.parameters)["C"]}
        result["folds"] = [list(candidate.fold_scores) for candidate in report.candidates]
    result["seconds"] = time.perf_counter() - started
    result["peak_mb"] = peak_mb()
    predicted = model.predict(make_input(test, feature_blocks))
    np.save(folder / f"predicted_{name}.npy", predicted.astype(str))
    truth = test.y.astype(str)
    result["accuracy"] = accuracy_score(truth, predicted)
    result["f1_macro"] = f1_score(truth, predicted, average="macro", zero_division=0)
    return result


def peak_mb() -> float:
    """Return the peak memory of this process; `getrusage` would include the parent's peak."""
    status = Path("/proc/self/status").read_text()
    return next(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM")) / 1024


def measure(options: argparse.Namespace, folder: Path) -> dict[str, list[dict[str, Any]]]:
    contenders = [
        name for name in ("fast", "reference", "naive", "one") if name in options.contenders
    ]
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    chosen = 1.0
    for _ in range(options.repetitions):
        for name in contenders:
            arguments = ["--side", name, str(folder), "--chosen", str(chosen)]
            arguments += ["--estimator", options.estimator]
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.search", options.table, *arguments],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            results[name].append(json.loads(done.stdout.splitlines()[-1]))
            chosen = results["fast"][0]["C"] if "fast" in results else chosen
            print(name, json.dumps(results[name][-1]), file=sys.stderr, flush=True)
    return results


def compare_with_fast(folder: Path, results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return by how much the results of each contender differ from the results of `fast`."""
    fast = results["fast"][-1]
    agreement: dict[str, Any] = {"C": {name: runs[-1]["C"] for name, runs in results.items()}}
    for name, runs in results.items():
        if name == "fast":
            continue
        labels = [np.load(folder / f"predicted_{side}.npy") for side in ("fast", name)]
        agreement[name] = {
            "f1_difference": abs(runs[-1]["f1_macro"] - fast["f1_macro"]),
            "labels_equal": float((labels[0] == labels[1]).mean()),
        }
        if "folds" in runs[-1]:
            difference = np.abs(np.subtract(runs[-1]["folds"], fast["folds"])).max()
            agreement[name]["largest_difference_of_a_fold"] = float(difference)
    return agreement


def report(options: argparse.Namespace, results: dict[str, list[dict[str, Any]]]) -> str:
    """Print the seconds of each contender; return the row of the table."""
    fast = [run["seconds"] for run in results["fast"]]
    cells = [f"{options.table} {options.rows or ''}".strip(), f"{statistics.median(fast):.1f} s"]
    for name in CONTENDERS:
        runs = results.get(name, [])
        seconds = [run["seconds"] for run in runs]
        if not runs:
            cells.append("")
            continue
        peak = max(run["peak_mb"] for run in runs)
        print(
            f"{name:10} {min(seconds):8.2f} {statistics.median(seconds):8.2f} "
            f"{max(seconds):8.2f} s {peak:8.0f} MB"
        )
        if name != "fast":
            # paired by repetition, so that a slow machine affects both
            ratios = sorted(a / b for a, b in zip(fast, seconds, strict=True))
            cells.append(f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})")
    peak = max(run["peak_mb"] for run in results["fast"])
    return f"| {' | '.join([*cells, f'{peak:.0f} MB'])} |"


def slope(sizes: list[int], values: list[float]) -> float:
    """Return the slope of a line fitted to the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=["embeddings", "texts", "banking77", "privacyqa"])
    parser.add_argument("rows", nargs="*", type=int)
    parser.add_argument("--data")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    parser.add_argument("--estimator", choices=[*KINDS], default="logistic_regression")
    parser.add_argument("--side", nargs=2)
    parser.add_argument("--chosen", type=float, default=1.0)
    options = parser.parse_args()
    if "fast" not in options.contenders.split(","):
        parser.error("all are compared with 'fast', which --contenders leaves out")
    warnings.simplefilter("ignore")
    if options.side:
        name, folder = options.side
        result = contend(name, options.table, Path(folder), options.chosen, options.estimator)
        print(json.dumps(result))
        return
    sizes, fast = options.rows or [None], []
    for rows in sizes:
        options.rows = rows
        with tempfile.TemporaryDirectory() as name:
            write_data(options, Path(name))
            results = measure(options, Path(name))
            row = report(options, results)
            print(json.dumps(compare_with_fast(Path(name), results)))
            print(row, flush=True)
            fast.append(results["fast"])
    if len(sizes) > 1:
        for name in ("seconds", "peak_mb"):
            medians = [statistics.median(run[name] for run in runs) for runs in fast]
            print(f"slope of {name}: {slope(sizes, medians):.2f}")


if __name__ == "__main__":
    main()
