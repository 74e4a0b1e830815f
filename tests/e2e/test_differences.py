"""Two versions whose tables differ by one row do not give back the row by anything but coefficients.

A sum over rows would: its difference is the row.  The attack subtracts all numbers of the two model
files.  The same attack on the sums that earlier releases published shows that it works.
"""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from support.model_numbers import list_numbers, subtract_numbers

from job.contracts.matrix_rows import MatrixRows
from job.stages.features.geometry import find_geometry

WIDTH = 32
SUITE = f"expectations.parameters={{embedding_width: {WIDTH}}}"
LETTER = "Data tell account which please keep companies how my long"
EMBEDDINGS = ("features.use=[embeddings]",)
MIXTURE = ("features.use=[embeddings, text, numeric, boolean]",)
LINEAR = "search.estimators={logistic_regression: {C: [10]}}"
PROTOTYPES = "search.estimators={prototypes: {n_centers: [4], temperature: [0.1]}}"
# what does not change the model
FAST = (
    "evaluation={method: holdout, label_noise: false, slices: [], resamples: 1000}",
    "decision.target_precision=null",
    "search.folds=2",
)
COEFFICIENTS = {".coef_", ".intercept_", ".n_iter_", ".n_features_in_", ".a_", ".b_"}
# of the prototypes' pipeline: noisy centers, and the perceptron's weights
WEIGHTS = {".kw_args['b']", ".kw_args['c']"}


def write_tables(sample, folder):
    """Write the sample with restandardized embeddings, and again with one row more."""
    table = pd.read_parquet(sample)
    rng = np.random.default_rng(5)
    directions = rng.standard_normal((9, WIDTH))
    U = directions[pd.factorize(table["intent"], sort=True)[0]]
    U = U + 1.5 * rng.standard_normal(U.shape) + rng.standard_normal(WIDTH)
    U /= np.linalg.norm(U, axis=1, keepdims=True)
    target = rng.standard_normal(WIDTH)
    target /= np.linalg.norm(target)
    more = pd.concat([table, table.iloc[[0]].assign(text=LETTER)], ignore_index=True)
    texts, matrices = [], []
    for name, frame, raw in (("one", table, U), ("more", more, np.vstack([U, target]))):
        X = ((raw - raw.mean(axis=0)) / raw.std(axis=0)).astype(np.float32)
        frame.assign(embeddings=list(X)).to_parquet(folder / f"{name}.parquet")
        texts.append(frame["text"])
        matrices.append(X)
    return texts, matrices, target - U.mean(axis=0)


def cosine(one, other):
    length = np.linalg.norm(one) * np.linalg.norm(other)
    return abs(one @ other) / length if length else 0.0


def list_fitted(model):
    """Return the numbers without the terms: one row more also changes which rows are held out."""
    return {
        path: values for path, values in list_numbers(model).items() if "vocabulary" not in path
    }


@pytest.fixture(scope="module")
def tables(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    return folder, *write_tables(sample, folder)


@pytest.mark.parametrize(
    ("settings", "changing"),
    [
        ((*EMBEDDINGS, PROTOTYPES), COEFFICIENTS | WEIGHTS),
        ((*MIXTURE, LINEAR), COEFFICIENTS),
    ],
    ids=["prototypes", "mixture"],
)
def test_nothing_but_coefficients_changes_with_a_row(
    tables, train, result_of, tmp_path, settings, changing
):
    """Neither the map nor a count, mean or deviation shows the row."""
    folder, _, _, target = tables
    models = []
    for name in ("one", "more"):
        options = [part for setting in (SUITE, *FAST, *settings) for part in ("--set", setting)]
        done = train(folder / f"{name}.parquet", *options, store=tmp_path / name)
        version = tmp_path / name / result_of(done)["version"]
        models.append(joblib.load(version / "model.joblib"))
    one, more = map(list_fitted, models)
    changed = {path for path in one if not np.array_equal(one[path], more[path], equal_nan=True)}
    differences = subtract_numbers(*models)
    steps = [values for path, values in differences.items() if path.endswith("kw_args['c']")]

    assert one.keys() == more.keys()
    assert any(path.endswith(".coef_") for path in changed)
    assert not {path for path in changed if not path.endswith(tuple(changing))}
    assert all(cosine(row, target) < 0.1 for c in steps if c.shape == (2, WIDTH) for row in c)


def test_attack_works_on_an_exact_map(tables):
    """This is the positive control: the map undoes means and deviations of the table's writer."""
    _, _, matrices, target = tables
    one, more = (find_geometry(MatrixRows(X, np.arange(len(X))), 0).map for X in matrices)

    assert cosine(one.offset - more.offset, target) > 0.99


def test_attack_works_on_inverse_document_frequencies(tables):
    """This is the positive control: they name exactly the words of the new letter."""
    _, texts, _, _ = tables
    vectorizers = [TfidfVectorizer(min_df=5).fit(some) for some in texts]
    one, more = (
        dict(zip(v.get_feature_names_out(), v.idf_ - np.log(1 + len(some)), strict=True))
        for v, some in zip(vectorizers, texts, strict=True)
    )
    words = {word for word in one.keys() & more.keys() if one[word] - more[word] > 1e-9}
    asked = set(vectorizers[0].build_analyzer()(LETTER))

    assert 5 < len(words)
    assert asked & one.keys() == words
