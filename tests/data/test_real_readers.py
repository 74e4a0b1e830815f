"""Both readers of published versions predict what `model.joblib` predicts, on real tables."""

import json
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import clean_environment
from support.hard_texts import HARD_TEXTS
from support.processes import run_command
from support.readers import list_rows, predict_with_python, run_javascript
from support.settings import OPEN

from job.stages.features.preprocessing import embedding_column_names

pytestmark = pytest.mark.data
QUICK = (
    OPEN,
    "dataset.min_rows=100",
    "evaluation.method=holdout",
    "evaluation.resamples=1000",
    "evaluation.label_noise=false",
    "decision.target_precision=null",
    "search.workers=1",
    "search.folds=2",
)
REGRESSION = "search.estimators={logistic_regression: {C: [10]}}"
SVC = "search.estimators={linear_svc: {C: [1]}}"
EMBEDDED = ("dataset.columns.embeddings=embedding", "expectations.suite=labelled_embeddings")
UPSTREAM = "upstream/curated_training_data.parquet"
BANKING, PRIVACY = (f"{name}/embedded_train.parquet" for name in ("banking77", "privacyqa"))
# table, number of classes or None for all, settings
CASES = {
    "text": (BANKING, 8, (*EMBEDDED, "features.use=[text]", REGRESSION)),
    "text of two classes": (
        BANKING,
        2,
        (*EMBEDDED, "features.use=[text]", SVC, "search.calibration=temperature"),
    ),
    "embeddings": (BANKING, 8, (*EMBEDDED, SVC)),
    "mixture with categories": (
        PRIVACY,
        None,
        (
            *EMBEDDED,
            "features.use=[text, embeddings, categorical]",
            "dataset.columns.categorical=[app_package]",
            SVC,
        ),
    ),
    "mixture with numbers": (
        UPSTREAM,
        None,
        ("features.use=[text, embeddings, numeric, boolean]", REGRESSION),
    ),
    "prototypes": (
        UPSTREAM,
        None,
        (
            "dataset.embeddings_standardized_per_batch=true",
            "search.estimators={prototypes: {n_centers: [20], temperature: [0.1]}}",
        ),
    ),
}


@pytest.fixture(scope="module")
def versions(shared_data, tmp_path_factory):
    """Return the folder of a version and the input of unseen rows, for each case."""
    folder = tmp_path_factory.mktemp("readers")

    def publish(case):
        name, (table, n_classes, settings) = case
        train, unseen = split_table(pd.read_parquet(shared_data / table), n_classes)
        path = folder / f"{name.replace(' ', '-')}.parquet"
        train.to_parquet(path)
        store = path.with_suffix("")
        words = [word for value in (*QUICK, *settings) for word in ("--set", value)]
        arguments = ("run", "--dataset", path, "--store", store, *words)
        done = run_command(arguments, folder, clean_environment())
        assert done.returncode == 0, f"{name}: {done.stderr[-2000:]}"
        version = store / json.loads(done.stdout)["version"]
        return name, (version, make_input(version, unseen))

    with ThreadPoolExecutor(2) as pool:  # most of a run uses one thread
        return dict(pool.map(publish, CASES.items()))


def split_table(table, n_classes):
    """Return at most 600 rows of the first classes, and 100 other rows."""
    if n_classes is not None:
        names = table["intent"].value_counts().index[:n_classes]
        table = table[table["intent"].isin(names)]
    shuffled = table.sample(min(len(table), 700), random_state=0)
    return shuffled.iloc[:-100], shuffled.iloc[-100:]


def make_input(version, table):
    """Return X as a consumer passes it, with hard texts in some rows."""
    metadata = json.loads((version / "metadata.json").read_text())
    columns, given = metadata["settings"]["dataset"]["columns"], metadata["input"]
    texts = [*HARD_TEXTS, *table["text"].iloc[len(HARD_TEXTS) :]]
    if given["kind"] == "text":
        return texts
    embeddings = np.vstack(table[columns["embeddings"]]).astype(np.float32)
    if given["kind"] == "embeddings":
        return embeddings
    names = embedding_column_names(embeddings.shape[1])
    wide = pd.DataFrame(embeddings, columns=names, index=table.index)
    X = pd.concat([table.assign(text=texts), wide], axis=1)[given["names"]]
    taken = [name for name in given["names"] if name in table and name != columns["text"]]
    for place, name in enumerate(taken):
        X[name] = X[name].astype(object if name in columns["categorical"] else float)
        X.iloc[place::7, X.columns.get_loc(name)] = None
    return X


def test_readers_predict_as_model_joblib(versions):
    """The labels are equal, and probabilities differ by rounding only."""
    paths = {name: version / "model.safetensors" for name, (version, _) in versions.items()}
    rows = {name: list_rows(X) for name, (_, X) in versions.items()}
    expected = {
        name: joblib.load(version / "model.joblib").predict_proba(X)
        for name, (version, X) in versions.items()
    }
    python = [predict_with_python(paths[name], rows[name]) for name in versions]
    javascript = run_javascript([(paths[name], rows[name]) for name in versions])

    for proba, *found in zip(expected.values(), python, javascript, strict=True):
        is_tied = np.diff(np.sort(proba, axis=1)[:, -2:]).ravel() <= 1e-12
        for other in found:
            np.testing.assert_allclose(other, proba, rtol=0, atol=1e-9)
            assert (is_tied | (other.argmax(axis=1) == proba.argmax(axis=1))).all()


def test_versions_have_every_kind_of_part(versions):
    """Otherwise the test above compares less than it says."""
    kinds = set()
    for version, _ in versions.values():
        data = (version / "model.safetensors").read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        model = json.loads(header["__metadata__"]["model"])
        kinds |= {part["kind"] for part in (*model["blocks"], model["head"], model["link"])}

    assert kinds >= {
        *("terms", "embeddings", "numeric", "boolean", "categorical"),
        *("linear", "prototypes", "softmax", "sigmoid", "platt"),
    }
