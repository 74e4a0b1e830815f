"""The chosen candidate is fitted to all training rows, and scikit-learn finishes the fit."""

import io
import weakref

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.adapters.executors.local import LocalThreads
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.geometry import AffineMap, Geometry
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.training.refit import train_model
from job.stages.training.search import search

N = 300


@pytest.fixture
def rows():
    return drawn(N)


def drawn(n_rows, near=2):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, n_rows)
    matrix = (rng.standard_normal((n_rows, 8)) + near * np.eye(3, 8)[labels]).astype(np.float32)
    keys = np.array([f"k{n}" for n in range(n_rows)], dtype=object)
    return Rows(
        y=np.array(["abc"[n] for n in labels], dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(matrix, np.arange(n_rows)),
        frame=pd.DataFrame(index=range(n_rows)),
    )


@pytest.fixture
def fits(monkeypatch):
    """Count scikit-learn's fits, and record their starting points."""
    calls, original = [], LogisticRegression.fit

    def fit(model, X, y, sample_weight=None):
        calls.append((len(X), hasattr(model, "coef_") and model.warm_start))
        return original(model, X, y, sample_weight)

    monkeypatch.setattr(LogisticRegression, "fit", fit)
    return calls


def train(rows, engine="fast"):
    chosen = CandidateScore(
        estimator="logistic_regression",
        parameters=(("C", 10.0),),
        feature_blocks=("embeddings",),
        fold_scores=(1.0,),
    )
    spec = TrainingSpec(
        search=SearchSpec(engine=engine),
        features=FeatureSpec(),
        columns=ColumnsSpec(),
        random_state=0,
    )
    report = SearchReport(
        metric="accuracy", candidates=(chosen,), chosen=chosen, baselines=(chosen,)
    )
    feature_matrices = FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, InTurn())
    return train_model(rows, feature_matrices, report, spec, InTurn())


def test_bytes_do_not_depend_on_the_number_of_threads():
    """This covers scaling to refit, with enough rows for several blocks and spans."""
    rows, results = drawn(7000, near=0.5), set()
    grids = {"logistic_regression": {"C": [1.0, 10.0]}, "linear_svc": {"C": [1.0]}}
    spec = TrainingSpec(
        search=SearchSpec(estimators=grids, folds=2),
        features=FeatureSpec(),
        columns=ColumnsSpec(),
        random_state=0,
    )
    for n_workers in (1, 2, 3):
        executor = LocalThreads(n_workers)
        feature_matrices = FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, executor)
        report = search(rows, feature_matrices, spec, executor, lambda: 0.0)
        model = train_model(rows, feature_matrices, report, spec, executor)
        file = io.BytesIO()
        joblib.dump((model.pipeline, [baseline for _, baseline in model.baselines]), file)
        results.add((report.model_dump_json(), file.getvalue()))

    assert 1 == len(results)


def test_scikit_learn_confirms_the_model_on_all_rows(rows, fits):
    """It does so once, starting where the fast engine ended."""
    train(rows)

    assert [(N, True)] == fits


def test_reference_engine_begins_from_nothing(rows, fits):
    """scikit-learn alone fits the model."""
    train(rows, "reference")

    assert [(N, False)] == fits


def test_published_model_is_at_its_minimum(rows):
    """The derivative of its objective is within its tolerance, so a new fit would end at once."""
    pipeline = train(rows).pipeline
    model = pipeline[-1]
    X = pipeline[0].transform(rows.embeddings.read()).astype(np.float64)
    p = model.predict_proba(X) - (rows.y[:, None].astype(str) == model.classes_)
    # the published coefficients take rows of length 1; those of the objective standard columns
    deviation = X.std(axis=0) * np.sqrt(X.shape[1])
    by_coef = p.T @ ((X - X.mean(axis=0)) / deviation) / N + model.coef_ * deviation / (10 * N)
    gradient = np.hstack([by_coef, p.mean(axis=0)[:, None]])

    assert np.abs(gradient).max() <= 2e-6
    assert not model.warm_start


def test_baseline_that_was_chosen_is_fitted_once(rows):
    """It is the same model."""
    model = train(rows)

    assert model.pipeline is dict(model.baselines)["logistic_regression"]


class Watched:
    """An allocator that counts, at each matrix that it makes, how many others are still in use."""

    def __init__(self):
        self.in_use, self._matrices = [], []

    def empty(self, shape):
        self.in_use.append(sum(matrix() is not None for matrix in self._matrices))
        matrix = np.empty(shape, np.float32)
        self._matrices.append(weakref.ref(matrix))
        return matrix


@pytest.mark.parametrize(("is_restored", "in_use"), [(False, [0, 0]), (True, [0])])
def test_one_matrix_is_in_memory_at_a_time(rows, is_restored, in_use):
    """Prototypes and linear models share it only if it has no standardized columns."""
    identity = AffineMap(columns=np.arange(8), scale=np.ones(8), offset=np.zeros(8))
    geometry = Geometry(
        status="restored" if is_restored else "not_found",
        n_rows=N,
        n_distinct_rows=N,
        width=8,
        map=identity if is_restored else None,
    )
    chosen, baseline = (
        CandidateScore(
            estimator=name,
            parameters=parameters,
            feature_blocks=("embeddings",),
            fold_scores=(1.0,),
        )
        for name, parameters in (
            ("prototypes", (("n_centers", 2),)),
            ("logistic_regression", (("C", 10.0),)),
        )
    )
    report = SearchReport(
        metric="accuracy", candidates=(chosen, baseline), chosen=chosen, baselines=(baseline,)
    )
    spec = TrainingSpec(
        search=SearchSpec(), features=FeatureSpec(), columns=ColumnsSpec(), random_state=0
    )
    allocator = Watched()
    matrices = FeatureMatrices(
        rows, spec.features, spec.columns, allocator, InTurn(), geometry=geometry
    )
    train_model(rows, matrices, report, spec, InTurn())

    assert in_use == allocator.in_use
