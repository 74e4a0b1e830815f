"""A table of three classes and a small set of requests, for runs in real processes."""

import json

import numpy as np
from support.settings import OPEN

LABELS = np.array(["ask", "drop", "stop"])
SETTINGS = (
    "dataset.min_rows=100",
    "expectations.suite=labelled_embeddings",
    "dataset.columns.embeddings=embedding",
    "search.estimators={logistic_regression: {C: [10]}}",
    "evaluation.slices=[]",
    "evaluation.label_noise=false",
    OPEN,
)


def make_texts(n_rows, rng):
    """Generate texts of twelve random words each."""
    words = np.array([f"w{chr(97 + n % 26)}{chr(97 + n // 26)}x" for n in range(600)])
    return [" ".join(rng.choice(words, 12)) for _ in range(n_rows)]


def start_with(pcc_job, folder, requests, settings, *, name, setting, command, options):
    """Run a command on `table.parquet` and, if given, on a set of requests."""
    if requests is not None:
        requests.to_parquet(folder / name)
        settings = (f"{setting}={name}", *settings)
    words = [word for value in (*SETTINGS, *settings) for word in ("--set", value)]
    store = () if command == "validate" else ("--store", "models")
    return pcc_job(command, "--dataset", "table.parquet", *store, *words, *options)


def read(folder, result, name):
    """Return the content of a published JSON file."""
    return json.loads((folder / "models" / result["version"] / name).read_text())
