"""Preprocessing is part of the pipeline, keeps no rare token, and needs no code of this job."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from joblib.numpy_pickle import NumpyUnpickler
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import make_input

N = 60
ALL = ("text", "embeddings", "numeric", "categorical", "boolean")
COLUMNS = ColumnsSpec(numeric=("x",), categorical=("kind",), boolean=("flag",))


@pytest.fixture
def rows():
    """Sixty rows; the text 'oneoff' and the category 'rare' have one key each, in several rows."""
    kinds = np.array(["a", "b"] * 25 + ["rare"] * 3 + [None] * 7, dtype=object)
    keys = np.array([f"k{min(n, 55)}" for n in range(N)], dtype=object)
    texts = [f"please {'delete' if n % 2 else 'export'} it" for n in range(N)]
    texts[55:] = ["oneoff"] * 5
    x = np.arange(N, dtype=np.float32)
    x[0] = np.nan
    return Rows(
        y=np.array(["p", "q"] * 30, dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=np.array(texts, dtype=object),
        embeddings=MatrixRows(
            np.random.default_rng(0).standard_normal((N, 4)).astype(np.float32), np.arange(N)
        ),
        frame=pd.DataFrame({"x": x, "kind": kinds, "flag": np.float32([1, 0, np.nan] * 20)}),
    )


def fitted(rows, *feature_blocks):
    spec = FeatureSpec(use=feature_blocks)
    return (
        FeatureMatrices(rows, spec, COLUMNS, IN_MEMORY, InTurn())
        .fit(np.arange(len(rows)))
        .exported()
    )


def encoded(model, **values):
    X = model.transform(pd.DataFrame(values))
    return np.asarray(X.todense() if hasattr(X, "todense") else X)


def test_rare_and_unknown_categories_share_a_column_of_their_own(rows):
    """An unknown category is neither encoded as another one nor an error."""
    X = encoded(fitted(rows, "categorical"), kind=["a", "rare", "never seen"])

    assert X[1].tolist() == X[2].tolist() != X[0].tolist()
    assert [1.0, 1.0, 1.0] == X.sum(axis=1).tolist()


def test_none_and_nan_are_the_same_missing_category(rows):
    """Consumers use both for a missing value."""
    X = encoded(fitted(rows, "categorical"), kind=np.array([None, np.nan, "a"], dtype=object))

    assert X[0].tolist() == X[1].tolist() != X[2].tolist()


def test_terms_and_categories_of_few_keys_are_not_kept(rows):
    """A term that only one key has is not in the file, however many rows the key has."""
    data = JoblibCodec().encode(fitted(rows, "text", "categorical"))

    assert b"delete" in data
    assert b"oneoff" not in data
    assert b"rare" not in data.replace(b"__rare__", b"")


@pytest.mark.parametrize("has_persons", [True, False])
def test_categories_are_counted_by_person(rows, has_persons):
    """Ten rows of different keys have the category 'quill', and four persons wrote them."""
    keys = np.array([f"k{n}" for n in range(N)], dtype=object)
    persons = np.where(np.arange(N) < 10, np.arange(N) % 4, np.arange(N))
    kinds = np.where(np.arange(N) < 10, "quill", rows.frame["kind"])
    rows = replace(
        rows,
        leakage_keys=keys,
        text_keys=keys,
        frame=rows.frame.assign(kind=kinds),
        person_ids=persons if has_persons else None,
    )

    assert (b"quill" in JoblibCodec().encode(fitted(rows, "categorical"))) != has_persons


def test_missing_number_is_imputed_and_marked(rows):
    """The indicator distinguishes a missing number from the median."""
    X = encoded(fitted(rows, "numeric"), x=[np.nan, 30.5])

    assert np.isfinite(X).all()
    assert X[0].tolist() != X[1].tolist()


def test_outlier_is_damped(rows):
    """A number a billion times too large does not push all others to zero."""
    X = encoded(fitted(rows, "numeric"), x=[1e9, 59.0])

    assert 1 < X[0, 0] / X[1, 0] < 100


@pytest.mark.parametrize("feature_blocks", [("embeddings",), ("text",), ALL])
def test_published_types_are_scikit_learn_and_numpy_only(rows, feature_blocks):
    """The consumer needs no package of this job."""
    model = make_pipeline(fitted(rows, *feature_blocks), LogisticRegression())
    model[-1].fit(model[0].transform(make_input(rows, feature_blocks)), rows.y)
    data = JoblibCodec().encode(model)

    assert modules_in(data) <= {"sklearn", "numpy", "scipy", "joblib", "builtins"}


def modules_in(data):
    """Return the packages whose types a joblib file refers to."""
    packages = set()

    class Recording(NumpyUnpickler):
        def find_class(self, module, name):
            packages.add(module.split(".")[0])
            return super().find_class(module, name)

    Recording("", io.BytesIO(data), ensure_native_byte_order=False).load()
    return packages


def test_inputs_are_what_a_consumer_sends(rows):
    """They are an array, a list, or a DataFrame with the named columns."""
    assert (N, 4) == make_input(rows, ("embeddings",)).shape
    assert rows.text.tolist() == make_input(rows, ("text",))
    frame = make_input(rows, ("text", "embeddings", "numeric"))
    names = ["text", *(f"embeddings_{n}" for n in range(4)), "x", "kind", "flag"]
    assert names == frame.columns.tolist()
