"""Embeddings that are standardized per batch, from a table to a consumer's batch."""

import json
import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from support.settings import OPEN

from job.stages.evaluation.recentering import recenter

PAGE = Path(__file__).parents[2] / "docs/consumers.md"
WIDTH = 32
SETTINGS = (
    "expectations.suite=labelled_embeddings",
    "dataset.columns.embeddings=embedding",
    "dataset.min_rows=100",
    "search.estimators={logistic_regression: {C: [10]}}",
    "evaluation.slices=[]",
    "evaluation.method=holdout",
    "split.near_duplicates=none",
    OPEN,
)


def make_rows(n, seed, shares=(0.25, 0.25, 0.25, 0.25)):
    """Return rows of length 1 from four classes, and the classes."""
    rng = np.random.default_rng(seed)
    y = rng.choice(4, n, p=shares)
    U = rng.standard_normal((n, WIDTH)) + 0.3
    U[np.arange(n), y] += 4
    return U / np.linalg.norm(U, axis=1, keepdims=True), y


TABLE, LABELS = make_rows(1200, 0)
MEAN, SCALE = TABLE.mean(axis=0), TABLE.std(axis=0) / 0.7


def standardize(U):
    return 0.7 * (U - U.mean(axis=0)) / U.std(axis=0)


@pytest.fixture
def publish(pcc_job, result_of, tmp_path):
    """Publish a model of the table; return the folder of its version, and the log."""

    def run(*settings):
        path = tmp_path / "table.parquet"
        pd.DataFrame(
            {
                "text": [f"text {n} {n * 7919 % 10007}" for n in range(len(TABLE))],
                "intent": np.array(["ask", "drop", "stop", "see"])[LABELS],
                "embedding": list(standardize(TABLE).astype(np.float32)),
            }
        ).to_parquet(path)
        options = [word for value in (*SETTINGS, *settings) for word in ("--set", value)]
        done = pcc_job("run", "--dataset", path, "--store", "models", *options)
        return tmp_path / "models" / result_of(done)["version"], done.stderr

    return run


def read(folder):
    names = ("metadata.json", "evaluation.json")
    metadata, evaluation = (json.loads((folder / name).read_text()) for name in names)
    return metadata, evaluation


def consume(folder, embeddings):
    """Run the lines of the page on a batch, as they stand there."""
    section = PAGE.read_text().partition("## Batches that were standardized on their own rows")[2]
    lines = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    names = {
        "metadata": json.loads((folder / "metadata.json").read_text()),
        "model": joblib.load(folder / "model.joblib"),
        "embeddings": embeddings.tolist(),
    }
    exec("\n".join(lines), names)  # the page is ours
    return names


@pytest.mark.parametrize("geometry", ["auto", "given"])
@pytest.mark.parametrize("n", [60, 400])
def test_lines_of_the_page_find_a_batch_that_was_standardized_anew(publish, geometry, n):
    """No other batch is detected: neither one like the table nor one with another class mix."""
    folder, _ = publish(f"features.geometry={geometry}")
    skewed, _ = make_rows(n, 1, (0.85, 0.05, 0.05, 0.05))
    found = [
        consume(folder, some)["is_as_trained"]
        for some in (
            (make_rows(n, 2)[0] - MEAN) / SCALE,
            (skewed - MEAN) / SCALE,
            standardize(make_rows(n, 2)[0]),
            standardize(skewed),
        )
    ]

    assert [True, True, False, False] == found


def test_lines_of_the_page_recenter_as_the_stress_score_does(publish):
    """The published model is right again, and the stress score measures what the page does."""
    folder, _ = publish("features.geometry=auto")
    U, y = make_rows(300, 1, (0.85, 0.05, 0.05, 0.05))
    names = consume(folder, standardize(U))
    model, labels = names["model"], np.array(["ask", "drop", "stop", "see"])[y]
    X = standardize(U).astype(np.float32)
    taken = model.classes_[names["proba"].argmax(axis=1)]
    rows = recenter(model[0][:-1].transform(X))
    kept = consume(folder, (U - MEAN) / SCALE)

    assert (taken == labels).mean() > (model.predict(X) == labels).mean() + 0.1
    assert np.allclose(rows / np.linalg.norm(rows, axis=1, keepdims=True), names["rows"], atol=1e-5)
    assert (kept["proba"] == model.predict_proba(kept["X"])).all()


def test_table_that_looks_standardized_is_measured_and_told(publish):
    """It needs no setting; report, card, limitations, log and gate contain the score."""
    folder, log = publish("features.geometry=auto", "gate.stress_floor=0.01")
    metadata, evaluation = read(folder)
    stress = evaluation["stress"]
    told = f"{stress['accuracy']:.4f}"
    (judged,) = [json.loads(line) for line in log.splitlines() if '"batches_judged"' in line]
    (criterion,) = [c for c in evaluation["gate"]["criteria"] if c["name"] == "stress_accuracy"]

    assert ("check", "length_deviation") == (
        stress["stated_by"],
        metadata["input_check"]["measure"],
    )
    assert stress["accuracy"] < stress["accuracy_recentered"]
    assert judged["accuracy"] == stress["accuracy"] == criterion["value"]
    assert told in " ".join(metadata["limitations"])
    for name in ("report.html", "model_card.md"):
        assert told in (folder / name).read_text()


def test_settings_have_the_last_word(publish):
    """If the settings say it is not standardized, only the lengths are checked."""
    folder, log = publish("dataset.embeddings_standardized_per_batch=false")
    metadata, evaluation = read(folder)

    assert evaluation["stress"] is None
    assert "length_deviation" == metadata["input_check"]["measure"]
    assert '"batches_judged"' not in log


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("dataset.embeddings_standardized_per_batch=false", "standardized per batch is false"),
        ("features.use=[text]", "features.use does not have them"),
    ],
)
def test_floor_of_what_is_never_measured_is_refused(pcc_job, sample, setting, words):
    """The error comes before anything is read."""
    options = [w for value in (setting, "gate.stress_floor=0.5") for w in ("--set", value)]
    done = pcc_job("run", "--dataset", sample, "--store", "models", *options)

    assert 2 == done.returncode
    assert words in done.stderr.replace("_", " ")
