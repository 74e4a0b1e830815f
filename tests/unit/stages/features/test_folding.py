"""Standardization becomes part of the coefficients, and nothing of it is published."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.folding import fold_scaling
from job.stages.features.preprocessing import make_input
from job.stages.training.compatibility import iterate_parts, use_double_precision

N = 120
COLUMNS = ColumnsSpec(numeric=("x", "y"), boolean=("flag",), categorical=("kind",))
MIXTURE = ("text", "embeddings", "numeric", "boolean", "categorical")


def make_rows(n_classes=3):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, n_classes, N)
    matrix = (rng.standard_normal((N, 6)) + np.eye(n_classes, 6)[labels] + 5).astype(np.float32)
    words = np.array(["delete", "export", "stop"])
    texts = [
        f"{words[n]} {word} data" for n, word in zip(labels, rng.choice(words, N), strict=True)
    ]
    frame = pd.DataFrame(
        {
            "x": rng.lognormal(3, 1, N),
            "y": np.where(rng.random(N) < 0.2, np.nan, rng.random(N)),
            "flag": rng.integers(0, 2, N).astype(np.float32),
            "kind": rng.choice(["web", "mail"], N),
        }
    )
    keys = np.array([f"k{n}" for n in range(N)], dtype=object)
    return Rows(
        y=np.array(["abc"[n] for n in labels], dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=np.array(texts, dtype=object),
        embeddings=MatrixRows(matrix, np.arange(N)),
        frame=frame,
    )


def fit(rows, blocks, classifier):
    """Return the fitted preprocessing and classifier, both in double precision."""
    matrices = FeatureMatrices(rows, FeatureSpec(use=blocks), COLUMNS, IN_MEMORY, InTurn())
    feature_matrix = matrices.fit(np.arange(N))
    classifier.fit(feature_matrix.matrix("reference"), rows.y.astype(str))
    steps = Pipeline([("preprocess", feature_matrix.exported()), ("classifier", classifier)])
    use_double_precision(steps)
    return steps


def fold(steps):
    copied = deepcopy(steps)
    plain = fold_scaling(copied[0], copied[1])
    return Pipeline([("preprocess", plain), ("classifier", copied[1])])


@pytest.mark.parametrize("blocks", [("embeddings",), ("numeric",), ("text", "embeddings"), MIXTURE])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(max_iter=1000),
        CalibratedClassifierCV(LinearSVC(random_state=0), ensemble=False),
        DummyClassifier(),
    ],
    ids=["logistic_regression", "linear_svc", "dummy"],
)
def test_probabilities_stay_and_no_mean_is_left(blocks, n_classes, classifier):
    """Up to 1e-9, in double precision."""
    rows = make_rows(n_classes)
    before = fit(rows, blocks, deepcopy(classifier))
    after, X = fold(before), make_input(rows, blocks)

    np.testing.assert_allclose(after.predict_proba(X), before.predict_proba(X), rtol=0, atol=1e-9)
    assert any(isinstance(part, StandardScaler) for part in iterate_parts(before))
    assert not any(isinstance(part, StandardScaler) for part in iterate_parts(after))


def test_published_steps_of_embeddings_have_no_fitted_state():
    """They are a cast, rows of length 1, and the estimator."""
    folded = fold(fit(make_rows(), ("embeddings",), LogisticRegression()))

    assert ["functiontransformer", "normalizer"] == [name for name, _ in folded[0].steps]
    assert {"n_features_in_"} >= {n for n in vars(folded[0][-1]) if n.endswith("_")}


def test_center_and_scale_of_a_number_are_on_a_grid():
    """The scale is a power of two and the center a multiple of it, whatever the rows hold."""
    matrices = FeatureMatrices(
        make_rows(), FeatureSpec(use=("numeric",)), COLUMNS, IN_MEMORY, InTurn()
    )
    pipeline = matrices.fit(np.arange(N)).preprocess.named_transformers_["numeric"]
    negative_centers, inverse_scales = pipeline[1].kw_args["c"]

    np.testing.assert_array_equal(np.round(negative_centers), negative_centers)
    np.testing.assert_array_equal(np.round(np.log2(inverse_scales)), np.log2(inverse_scales))


def test_sparse_input_is_not_made_dense():
    """The terms of texts stay sparse where embeddings are few columns."""
    steps = fit(make_rows(), ("text",), LogisticRegression())

    assert sparse.issparse(fold(steps)[0].transform(["delete my data"]))


@pytest.mark.parametrize("blocks", [("embeddings",), ("embeddings", "numeric")])
@pytest.mark.parametrize("constant", [0.02, 0.3])
def test_column_that_only_rounding_moves_has_no_weight(blocks, constant):
    """Rows of length 1 make a constant column vary in the last digits of single precision."""
    rows = make_rows()
    unit = rows.embeddings.read()
    unit *= np.sqrt(1 - constant**2) / np.linalg.norm(unit, axis=1, keepdims=True)
    matrix = np.hstack([unit, np.full((N, 1), constant, np.float32)])
    rows = replace(rows, embeddings=MatrixRows(matrix, np.arange(N)))
    matrices = FeatureMatrices(rows, FeatureSpec(use=blocks), COLUMNS, IN_MEMORY, InTurn())
    feature_matrix = matrices.fit(np.arange(N))
    model = LogisticRegression(C=10, max_iter=1000).fit(feature_matrix.X, rows.y.astype(str))
    in_training = model.predict_proba(feature_matrix.X)
    np.testing.assert_allclose(
        in_training, model.predict_proba(feature_matrix.transform(np.arange(N)))
    )

    plain = fold_scaling(feature_matrix.exported(), model)
    published = Pipeline([("preprocess", plain), ("classifier", model)])
    use_double_precision(published)
    proba = published.predict_proba(make_input(rows, blocks))

    np.testing.assert_allclose(proba, in_training, rtol=0, atol=1e-4)
    assert np.abs(model.coef_).max() < 1000


@pytest.mark.parametrize("scale", [1e-12, 2e-7, 1e10])
def test_length_of_embeddings_does_not_matter(scale):
    """Rows of any length are scaled to length 1, in training and in the published model."""
    rows = make_rows()
    matrix = rows.embeddings.read()
    scaled = replace(rows, embeddings=MatrixRows(matrix * np.float32(scale), np.arange(N)))
    X, other = (
        FeatureMatrices(r, FeatureSpec(), COLUMNS, IN_MEMORY, InTurn()).fit(np.arange(N)).X
        for r in (rows, scaled)
    )

    np.testing.assert_allclose(other, X, atol=1e-4)
