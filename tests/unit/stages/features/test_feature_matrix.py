"""Feature matrices of subsets equal those of a separate fit to each subset."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.adapters.executors.local import LocalThreads
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.geometry import AffineMap, Geometry
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.errors import TrainingError
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import make_input, make_scaling

N = 90
WORDS = ["delete", "export", "account", "my", "data", "please"]
COLUMNS = ColumnsSpec(numeric=("x",))
TRAIN, TEST = np.arange(0, N, 2), np.arange(1, N, 2)


@pytest.fixture
def rows():
    """Ninety texts of ninety keys; only odd rows have the word 'test', only the last ones 'late'."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 4)) + " test" * (n % 2) for n in range(N)]
    texts[-3:] = [f"{text} late" for text in texts[-3:]]
    keys = np.array([f"k{n}" for n in range(N)], dtype=object)
    matrix = rng.standard_normal((N + 10, 5)).astype(np.float32)
    return Rows(
        y=np.array(["p", "q"] * 45, dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=np.array(texts, dtype=object),
        embeddings=MatrixRows(matrix, np.arange(N) + 10),
        frame=pd.DataFrame({"x": np.arange(N, dtype=np.float32)}),
    )


def dense(X):
    return X.toarray() if hasattr(X, "toarray") else np.asarray(X)


def vocabulary(preprocess):
    """Return the terms of fitted preprocessing."""
    return {
        term for _, part in preprocess.transformer_list for term in part.steps[0][1].vocabulary_
    }


def test_counted_terms_give_what_scikit_learn_gives_on_the_texts(rows):
    """The counts of all rows, restricted to a fold, equal a fit to the fold."""
    spec = FeatureSpec(use=("text",), analyzers=("word",), min_groups=5)
    feature_matrix = FeatureMatrices(rows, spec, COLUMNS, IN_MEMORY, InTurn()).fit(TRAIN)
    separate = TfidfVectorizer(
        ngram_range=(1, 2), min_df=5, sublinear_tf=True, use_idf=False, dtype=np.float32
    ).fit(rows.text[TRAIN])

    np.testing.assert_array_equal(
        dense(separate.transform(rows.text[TRAIN])), dense(feature_matrix.X)
    )
    np.testing.assert_array_equal(
        dense(separate.transform(rows.text[TEST])), dense(feature_matrix.transform(TEST))
    )


def test_no_term_comes_from_test_rows(rows):
    """Their texts are counted, but do not select terms."""
    feature_matrix = FeatureMatrices(
        rows, FeatureSpec(use=("text",)), COLUMNS, IN_MEMORY, InTurn()
    ).fit(TRAIN)

    assert not [term for term in vocabulary(feature_matrix.exported()) if "test" in term]


def test_term_of_few_keys_is_not_kept(rows):
    """The number of its rows has no effect."""
    keys = np.array(["one"] * N, dtype=object)
    keys[:60] = rows.leakage_keys[:60]
    few = Rows(**{name: getattr(rows, name) for name in Rows.__slots__} | {"leakage_keys": keys})
    spec = FeatureSpec(use=("text",), min_groups=2)
    kept = vocabulary(
        FeatureMatrices(few, spec, COLUMNS, IN_MEMORY, InTurn()).fit(np.arange(N)).exported()
    )

    assert "late" not in kept
    assert "delete" in kept


def test_text_without_common_terms_is_a_training_error(rows):
    """A model could not learn anything from it."""
    spec = FeatureSpec(use=("text",), min_groups=80)

    with pytest.raises(TrainingError, match="no term"):
        FeatureMatrices(rows, spec, COLUMNS, IN_MEMORY, InTurn()).fit(TRAIN)


@pytest.mark.parametrize(
    "feature_blocks", [("text",), ("embeddings",), ("text", "embeddings"), ("text", "numeric")]
)
def test_published_preprocessing_takes_what_the_consumer_has(rows, feature_blocks):
    """It returns the rows that the model was fitted to."""
    feature_matrix = FeatureMatrices(
        rows, FeatureSpec(use=feature_blocks), COLUMNS, IN_MEMORY, InTurn()
    ).fit(TRAIN)
    X_test, X_train = dense(feature_matrix.transform(TEST)), dense(feature_matrix.X)
    published = feature_matrix.exported()

    for index, expected in ((TRAIN, X_train), (TEST, X_test)):
        X = dense(published.transform(make_input(rows.take(index), feature_blocks)))
        np.testing.assert_allclose(expected, X, atol=1e-6)


def test_scaling_by_blocks_is_scaling(rows, monkeypatch):
    """Blocks end in the middle of the rows; one column is constant."""
    monkeypatch.setattr("job.stages.features.scaling._BLOCK", 7)
    monkeypatch.setattr("job.stages.features.scaling._ROWS_IN_CACHE", 3)
    matrix = np.concatenate([np.zeros((10, 5)), rows.embeddings.read() + 100]).astype(np.float32)
    matrix[:, 2] = 0.1
    rows = replace(rows, embeddings=MatrixRows(matrix, np.arange(N) + 10))
    feature_matrix = FeatureMatrices(rows, FeatureSpec(), COLUMNS, IN_MEMORY, InTurn()).fit(TRAIN)
    X = rows.embeddings.take(TRAIN).read()
    whole = make_scaling()

    np.testing.assert_allclose(whole.fit_transform(X) / np.sqrt(5), feature_matrix.X, atol=1e-5)
    for name, factor in (("mean_", 1), ("var_", 1), ("scale_", np.sqrt(5))):
        theirs, ours = (getattr(p[2], name) for p in (whole, feature_matrix.exported()))
        np.testing.assert_allclose(theirs * factor, ours, rtol=1e-6, atol=1e-8)
    assert vars(whole[2]).keys() == vars(feature_matrix.exported()[2]).keys()
    assert len(TRAIN) == feature_matrix.exported()[2].n_samples_seen_


def test_rows_are_scaled_as_the_published_preprocessing_scales_them(rows, monkeypatch):
    """They are bitwise equal; one row has length 0."""
    monkeypatch.setattr("job.stages.features.scaling._ROWS_IN_CACHE", 3)
    half = rows.embeddings.read(slice(20))
    matrix = np.concatenate([half, -half, np.zeros((1, half.shape[1]), np.float32)])
    rows = replace(rows.take(np.arange(41)), embeddings=MatrixRows(matrix, np.arange(41)))
    feature_matrix = FeatureMatrices(rows, FeatureSpec(), COLUMNS, IN_MEMORY, InTurn()).fit(
        np.arange(41)
    )

    assert not feature_matrix.X[-1].any()
    np.testing.assert_array_equal(feature_matrix.exported().transform(matrix), feature_matrix.X)


def test_rows_of_length_1_need_no_fit(rows):
    """Estimators that are not linear take them without standardized columns."""
    matrices = FeatureMatrices(rows, FeatureSpec(), COLUMNS, IN_MEMORY, InTurn())
    feature_matrix = matrices.fit(TRAIN, is_standardized=False)
    X = rows.embeddings.read()
    expected = X / np.linalg.norm(X, axis=1, keepdims=True)

    np.testing.assert_allclose(expected[TRAIN], feature_matrix.X, atol=1e-6)
    np.testing.assert_allclose(expected[TEST], feature_matrix.transform(TEST), atol=1e-6)
    np.testing.assert_array_equal(feature_matrix.exported().transform(X[TRAIN]), feature_matrix.X)


def test_embeddings_that_cannot_be_scaled_are_a_training_error(rows):
    """One of the test rows contains a number that stands for a missing value."""
    matrix = rows.embeddings.read() / 100
    matrix[TEST[3], 2] = np.finfo(np.float32).max
    rows = replace(rows, embeddings=MatrixRows(matrix, np.arange(N)))
    feature_matrix = FeatureMatrices(rows, FeatureSpec(), COLUMNS, IN_MEMORY, InTurn()).fit(TRAIN)

    with pytest.raises(TrainingError, match="length overflows"):
        feature_matrix.transform(TEST)


def test_bits_of_scaled_rows_do_not_depend_on_the_number_of_threads(rows, monkeypatch):
    """Blocks depend on the rows only, and their moments are pooled in order."""
    monkeypatch.setattr("job.stages.features.scaling._BLOCK", 7)
    monkeypatch.setattr("job.stages.features.scaling._ROWS_IN_CACHE", 3)
    results = set()
    for executor in (InTurn(), LocalThreads(1), LocalThreads(3)):
        feature_matrix = FeatureMatrices(rows, FeatureSpec(), COLUMNS, IN_MEMORY, executor).fit(
            TRAIN
        )
        results.add((feature_matrix.X.tobytes(), feature_matrix.transform(TEST).tobytes()))

    assert 1 == len(results)


@pytest.fixture
def geometry():
    """A map of three of five columns."""
    affine_map = AffineMap(
        columns=np.array([0, 1, 3]), scale=np.array([0.5, 2.0, 0.1]), offset=np.array([0, -1, 0.3])
    )
    return Geometry(status="restored", n_rows=N, n_distinct_rows=N, width=5, map=affine_map)


def test_restored_rows_are_those_of_the_published_preprocessing(rows, geometry, monkeypatch):
    """They are bitwise equal, with blocks that end in the middle; nothing is fitted to the rows."""
    monkeypatch.setattr("job.stages.features.scaling._BLOCK", 7)
    monkeypatch.setattr("job.stages.features.scaling._ROWS_IN_CACHE", 3)
    feature_matrices = FeatureMatrices(
        rows, FeatureSpec(), COLUMNS, IN_MEMORY, LocalThreads(2), geometry=geometry
    )
    feature_matrix, others = feature_matrices.fit(TRAIN), feature_matrices.fit(TEST)
    X = rows.embeddings.read()
    expected = X[:, [0, 1, 3]] * [0.5, 2.0, 0.1] + [0, -1, 0.3]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)

    np.testing.assert_allclose(expected[TRAIN], feature_matrix.X, atol=1e-6)
    np.testing.assert_array_equal(feature_matrix.exported().transform(X[TRAIN]), feature_matrix.X)
    np.testing.assert_array_equal(others.transform(TRAIN), feature_matrix.X)
    assert np.float32 == feature_matrix.X.dtype
    assert [0, 1, 2] == list(feature_matrix.columns)


@pytest.mark.parametrize("feature_blocks", [("text", "embeddings"), ("embeddings", "numeric")])
def test_embeddings_beside_other_blocks_are_restored_too(rows, geometry, feature_blocks):
    """The embedding columns equal those of embeddings alone."""
    arguments = (rows, FeatureSpec(use=feature_blocks), COLUMNS, IN_MEMORY, InTurn())
    alone = FeatureMatrices(
        rows, FeatureSpec(), COLUMNS, IN_MEMORY, InTurn(), geometry=geometry
    ).fit(TRAIN)
    mixed = FeatureMatrices(*arguments, geometry=geometry).fit(TRAIN)
    n_text = dense(mixed.X).shape[1] - (7 if "numeric" in feature_blocks else 3)
    embeddings = (
        dense(mixed.X)[:, n_text : n_text + 3]
        if "text" in feature_blocks
        else dense(mixed.X)[:, :3]
    )

    np.testing.assert_allclose(alone.X, embeddings, atol=1e-7)
    assert dense(mixed.X).shape[1] == dense(FeatureMatrices(*arguments).fit(TRAIN).X).shape[1] - 2


def test_geometry_that_was_not_found_changes_no_bit(rows, geometry):
    without = geometry.copy_with(status="not_found", map=None)
    arguments = (rows, FeatureSpec(), COLUMNS, IN_MEMORY, InTurn())
    feature_matrix = FeatureMatrices(*arguments, geometry=without).fit(TRAIN)

    assert FeatureMatrices(*arguments).fit(TRAIN).X.tobytes() == feature_matrix.X.tobytes()


def test_embeddings_that_cannot_be_restored_are_a_training_error(rows, geometry):
    """The error is the same as for embeddings that cannot be scaled."""
    matrix = rows.embeddings.read()
    matrix[3, 1] = np.finfo(np.float32).max
    rows = replace(rows, embeddings=MatrixRows(matrix, np.arange(N)))
    feature_matrices = FeatureMatrices(
        rows, FeatureSpec(), COLUMNS, IN_MEMORY, InTurn(), geometry=geometry
    )

    with pytest.raises(TrainingError, match="length overflows"):
        feature_matrices.fit(np.arange(N))
