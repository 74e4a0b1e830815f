"""Training rows are predicted by models that were not trained on their groups."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.adapters.executors.local import LocalThreads
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.search import CandidateScore
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import make_scaling, standardized_weight
from job.stages.split.folds import make_folds
from job.stages.training.estimators import ESTIMATOR_KINDS
from job.stages.training.out_of_fold import predict_out_of_fold

ENGINES = ["fast", "reference"]


def rows_of(y, X, near_duplicate_groups):
    keys = np.array([f"k{n}" for n in range(len(y))], dtype=object)
    return Rows(
        y=np.array(y, dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(X.astype(np.float32), np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
        near_duplicate_groups=np.array(near_duplicate_groups),
    )


def predict(rows, estimator="logistic_regression", executor=None, **search):
    spec = TrainingSpec(
        search=SearchSpec(**search), features=FeatureSpec(), columns=ColumnsSpec(), random_state=0
    )
    chosen = CandidateScore(
        estimator=estimator,
        parameters=(("C", 10.0),),
        feature_blocks=("embeddings",),
        fold_scores=(),
    )
    executor = executor or InTurn()
    feature_matrices = FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, executor)
    return predict_out_of_fold(rows, feature_matrices, chosen, spec=spec, executor=executor)


@pytest.fixture
def copies():
    """Sixty meaningless points, with ten near-copies of each."""
    rng = np.random.default_rng(0)
    near_duplicate_groups = np.repeat(np.arange(60), 10)
    X = rng.standard_normal((60, 40))[near_duplicate_groups] + 0.05 * rng.standard_normal((600, 40))
    return rows_of(rng.choice(["a", "b"], 60)[near_duplicate_groups], X, near_duplicate_groups)


@pytest.mark.parametrize("estimator", ["logistic_regression", "linear_svc"])
def test_labels_that_nothing_explains_are_not_known_by_heart(copies, estimator):
    """A model that was trained on a copy would be right in all rows."""
    predictions = predict(copies, estimator)

    assert abs((predictions.y_pred == predictions.y_true).mean() - 0.5) < 0.2


def test_every_row_has_probabilities_of_its_own(copies):
    """They sum to one, in the order of the rows."""
    y = np.where(copies.near_duplicate_groups % 3 == 0, "c", copies.y).astype(object)
    X = np.eye(3, 40)[np.searchsorted(["a", "b", "c"], y.astype(str))]
    predictions = predict(
        rows_of(y, X + copies.embeddings.read() / 10, copies.near_duplicate_groups)
    )

    assert predictions.proba.sum(axis=1) == pytest.approx(1)
    assert (predictions.y_pred == predictions.y_true).mean() > 0.95
    assert list(y) == [predictions.classes[n] for n in predictions.y_true]


@pytest.mark.parametrize("estimator", ["logistic_regression", "linear_svc"])
@pytest.mark.parametrize("name", ["a rare one", "b rare one", "rare"])
def test_class_that_other_folds_lack_gets_no_probability(copies, name, estimator):
    """One group cannot be on two sides; the position of the class has no effect."""
    y = np.where(copies.near_duplicate_groups == 0, name, copies.y).astype(object)
    predictions, by_scikit_learn = (
        predict(replace(copies, y=y), estimator, engine=e) for e in ENGINES
    )
    rare = predictions.classes.index(name)

    assert (predictions.proba[copies.near_duplicate_groups == 0, rare] == 0).all()
    assert predictions.proba.sum(axis=1) == pytest.approx(1)
    np.testing.assert_allclose(by_scikit_learn.proba, predictions.proba, atol=2e-3)


@pytest.mark.parametrize("calibration", ["sigmoid", "temperature"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_linear_svc_is_calibrated_as_by_a_calibration_within_each_fold(n_classes, calibration):
    """Calibrating within each fold needs four times the fits, and models of fewer rows."""
    rng = np.random.default_rng(2)
    y = rng.integers(0, n_classes, 900)
    X = 1.2 * np.eye(n_classes, 30)[y] + rng.standard_normal((900, 30))
    rows = rows_of(np.array(["a", "b", "c"])[y], X, np.arange(900))
    predictions = predict(rows, "linear_svc", calibration=calibration)
    nested = np.zeros(predictions.proba.shape)
    for train_index, test_index in make_folds(rows, 3, 0):
        weight = FunctionTransformer(lambda X: X * standardized_weight(X.shape[1]))
        feature_matrix = make_pipeline(make_scaling(), weight).fit(X[train_index])
        folds = make_folds(rows.take(train_index), 3, 0)
        model = ESTIMATOR_KINDS["linear_svc"].with_calibration(
            LinearSVC(C=10.0, random_state=0), folds, calibration
        )
        model.fit(feature_matrix.transform(X[train_index]), y[train_index])
        nested[test_index] = model.predict_proba(feature_matrix.transform(X[test_index]))
    accuracy = (predictions.y_pred == y).mean()

    assert log_loss(y, predictions.proba) < log_loss(y, nested) + 0.002
    assert accuracy == pytest.approx((nested.argmax(axis=1) == y).mean(), abs=0.01)
    assert accuracy == pytest.approx(predictions.proba.max(axis=1).mean(), abs=0.02)


def test_it_repeats(copies):
    """It depends only on the seed."""
    assert np.array_equal(predict(copies).proba, predict(copies).proba)


def test_a_fold_forgets_what_the_model_of_the_fold_before_has_seen(copies):
    """scikit-learn, which starts each fold from zero, gives the same result."""
    predictions, cold = (predict(copies, engine=engine).proba for engine in ("fast", "reference"))

    assert predictions == pytest.approx(cold, abs=5e-3)


@pytest.mark.parametrize("width", [40, 900])
@pytest.mark.parametrize("estimator", ["logistic_regression", "linear_svc"])
def test_number_of_threads_changes_no_bit(copies, estimator, width):
    """With more columns than rows liblinear is random, with one generator for all threads."""
    X = np.random.default_rng(1).standard_normal((600, width))
    rows = rows_of(copies.y, X, copies.near_duplicate_groups)
    one, three = (predict(rows, estimator, LocalThreads(n)).proba for n in (1, 3))

    assert np.array_equal(one, three)
