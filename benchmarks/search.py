"""Compare the search with a plain scikit-learn script, and with one scikit-learn fit.

    python -m benchmarks.search embeddings 100000 [--repetitions 3] [--contenders naive,one,fast]
    python -m benchmarks.search embeddings 10000 100000 1000000 --contenders fast
    python -m benchmarks.search texts 100000
    python -m benchmarks.search banking77|privacyqa --data FOLDER
    python -m benchmarks.search embeddings 20000 --estimator linear_svc

All contenders run in processes of their own, alternating, on the same rows, features and folds:

naive      GridSearchCV over a pipeline of features and the estimator, six C, five folds, two jobs,
           scikit-learn's defaults except max_iter; embeddings as float64, the type of a list of
           doubles; without the probabilities that the job adds to a LinearSVC
one        the naive pipeline, fitted once, at the C that the fast engine chose; with one BLAS
           thread, which is fastest
reference  the job's search and refit, each candidate by scikit-learn, to the job's tolerance
fast       the job's search and refit

Prints minimum, median and maximum of the seconds, the peak memory of the process (without child
processes of the naive script), the agreement of the results, and a row of the table in
docs/benchmarks.md; for several sizes also the log-log slopes of the fast engine.
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
import pandas as pd
import threadpoolctl
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import LinearSVC

from job.adapters.executors.local import LocalThreads
from job.adapters.host_limits import Memory, return_freed_memory
from job.adapters.matrix_allocator import MappedMatrices
from job.contracts.dataset import MatrixRows, Rows
from job.contracts.model import TrainedModel
from job.contracts.reports.search import SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.data.leakage_keys import normalize
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import make_input
from job.stages.split.folds import make_folds
from job.stages.training.refit import train_model
from job.stages.training.search import search

C = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
KINDS = {"logistic_regression": LogisticRegression, "linear_svc": LinearSVC}
CONTENDERS = ("naive", "one", "reference", "fast")
N_CLASSES = 12
WORKERS = 2


def generate_embeddings(n_rows: int, width: int = 384) -> dict[str, Any]:
    """Draw embeddings with variances that decay as for sentence embeddings; 5 % are mislabeled."""
    rng = np.random.default_rng(0)
    scales = 1 / np.sqrt(1 + np.arange(width))
    rotation = np.linalg.qr(rng.standard_normal((width, width)))[0]
    centers = 0.3 * rng.standard_normal((N_CLASSES, width)) * scales
    labels = rng.integers(0, N_CLASSES, n_rows)
    X = np.empty((n_rows, width), np.float32)
    for start in range(0, n_rows, 50_000):
        block = labels[start : start + 50_000]
        X[start : start + 50_000] = (
            centers[block] + rng.standard_normal((len(block), width)) * scales
        ) @ rotation
    return {"X": X, "y": _mislabel(rng, labels)}


def generate_texts(n_rows: int, n_words: int = 30_000, length: int = 15) -> dict[str, Any]:
    """Draw texts of Zipf-distributed words, some specific to the class; 5 % are mislabeled."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, n_words + 1) ** 0.9
    drawn = rng.choice(n_words, (n_rows, length), p=share / share.sum())
    labels = rng.integers(0, N_CLASSES, n_rows)
    class_words = np.array([rng.permutation(n_words) for _ in range(N_CLASSES)])
    is_class_word = rng.random(drawn.shape) < 0.12
    drawn = np.where(is_class_word, class_words[labels[:, None], drawn], drawn)
    words = np.array([f"w{n}" for n in range(n_words)], dtype=object)
    texts = [" ".join(row) for row in words[drawn]]
    return {"text": np.array(texts, dtype=object), "y": _mislabel(rng, labels)}


def _mislabel(rng: np.random.Generator, labels: Any) -> Any:
    is_wrong = rng.random(len(labels)) < 0.05
    return np.where(is_wrong, rng.integers(0, N_CLASSES, len(labels)), labels)


def write_data(options: argparse.Namespace, folder: Path) -> None:
    """Write the train and test rows, one .npy file per column, for all contenders."""
    if options.table in ("embeddings", "texts"):
        make = generate_embeddings if options.table == "embeddings" else generate_texts
        columns = make(options.rows)
        n_test = options.rows // 5
        sides = {
            "test": {name: values[:n_test] for name, values in columns.items()},
            "train": {name: values[n_test:] for name, values in columns.items()},
        }
    else:
        sides = {side: _read_real(options, side) for side in ("train", "test")}
    for side, columns in sides.items():
        for name, values in columns.items():
            np.save(folder / f"{side}_{name}.npy", values, allow_pickle=True)


def _read_real(options: argparse.Namespace, side: str) -> dict[str, Any]:
    table = pd.read_parquet(Path(options.data) / options.table / f"embedded_{side}.parquet")
    columns = {"X": np.array(table["embedding"].tolist(), np.float32)}
    columns |= {"text": table["text"].to_numpy(object), "y": table["intent"].to_numpy(object)}
    if "group_id" in table:
        columns["group"] = table["group_id"].astype(str).to_numpy(object)
    return columns


def read_rows(folder: Path, side: str) -> Rows:
    columns = {
        name: np.load(path, allow_pickle=True)
        for name in ("X", "text", "y", "group")
        if (path := folder / f"{side}_{name}.npy").exists()
    }
    n = len(columns["y"])
    text = columns.get("text")
    keys = columns.get("group")
    if keys is None:
        keys = [normalize(t) for t in text] if text is not None else [str(i) for i in range(n)]
    X = columns.get("X")
    return Rows(
        y=columns["y"].astype(str).astype(object),
        leakage_keys=np.array(keys, dtype=object),
        text_keys=np.array(keys, dtype=object),
        text=text,
        embeddings=None if X is None else MatrixRows(X, np.arange(n)),
        frame=pd.DataFrame(index=range(n)),
    )


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


def naive_pipeline(table: str, width: int, estimator: str) -> Pipeline:
    """Build the features of the job out of scikit-learn alone."""
    scale = make_pipeline(StandardScaler(), Normalizer())
    weigh = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    features: Any = {"embeddings": scale, "privacyqa": scale, "texts": weigh}.get(table)
    if features is None:
        names = [f"embeddings_{n}" for n in range(width)]
        features = ColumnTransformer([("text", weigh, "text"), ("embeddings", scale, names)])
    return Pipeline([("features", features), ("model", KINDS[estimator](max_iter=1000))])


def search_and_refit(
    train: Rows, spec: TrainingSpec, executor: LocalThreads, matrices: MappedMatrices
) -> tuple[SearchReport, TrainedModel]:
    """Run the part of the job between its split and its evaluation."""
    feature_matrices = FeatureMatrices(train, spec.features, spec.columns, matrices, executor)
    report = search(train, feature_matrices, spec, executor, time.perf_counter)
    return report, train_model(train, feature_matrices, report, spec, executor)


def contend(name: str, table: str, folder: Path, chosen: float, estimator: str) -> dict[str, Any]:
    """Run one contender and return its results; reading the rows is not timed."""
    train, test = read_rows(folder, "train"), read_rows(folder, "test")
    spec = make_spec(table, "reference" if name == "reference" else "fast", estimator)
    feature_blocks = spec.features.use
    if name in ("naive", "one"):
        X, y = _as_double(make_input(train, feature_blocks)), train.y.astype(str)
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


def _as_double(X: Any) -> Any:
    if isinstance(X, list):
        return X
    if isinstance(X, pd.DataFrame):
        return X.astype({name: np.float64 for name in X.columns if name != "text"})
    return X.astype(np.float64)


def peak_mb() -> float:
    """Read the high-water mark of this process; getrusage's is inherited from the parent."""
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
    """Return how much the results of the other contenders differ from those of `fast`."""
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
            # paired by repetition, so that a slow machine slows both down
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
