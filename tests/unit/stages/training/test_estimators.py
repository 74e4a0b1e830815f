"""An estimator is defined by one `EstimatorKind`, which all stages look up by name."""

from dataclasses import MISSING, fields, replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.errors import ConfigurationError
from job.settings import load_settings
from job.settings.schema import settings_schema
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.predictions import predict
from job.stages.training.estimators import BASELINES, ESTIMATOR_KINDS, EstimatorKind, FitMemory
from job.stages.training.memory_estimate import estimate_training_bytes
from job.stages.training.out_of_fold import predict_out_of_fold
from job.stages.training.refit import train_model
from job.stages.training.search import search

MEMORY = FitMemory(per_cell=30, per_occurrence=30, per_coefficient=30)
BAYES = EstimatorKind(
    name="bayes",
    load=lambda: GaussianNB,
    default_grid={"var_smoothing": (1e-9, 1e-6)},
    memory=MEMORY,
    takes_text=False,
)
RIDGE = EstimatorKind(
    name="ridge",
    load=lambda: RidgeClassifier,
    default_grid={"alpha": (1.0,)},
    memory=MEMORY,
    needs_calibration=True,
    takes_standardized=True,
)
ADDED = {kind.name: kind for kind in (BAYES, RIDGE)}


@pytest.fixture(params=ADDED)
def added(request, monkeypatch):
    monkeypatch.setitem(ESTIMATOR_KINDS, request.param, ADDED[request.param])
    return ADDED[request.param]


def make_rows(n_rows=240):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, n_rows)
    matrix = (rng.standard_normal((n_rows, 8)) + 3 * np.eye(3, 8)[labels]).astype(np.float32)
    keys = np.array([f"k{n}" for n in range(n_rows)], dtype=object)
    return Rows(
        y=np.array(["abc"[n] for n in labels], dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(matrix, np.arange(n_rows)),
        frame=pd.DataFrame(index=range(n_rows)),
    )


def training_spec(*names, **options):
    return TrainingSpec(
        search=SearchSpec(estimators={name: {} for name in names}, **options),
        features=FeatureSpec(use=("embeddings",)),
        columns=ColumnsSpec(),
        random_state=0,
    )


@pytest.mark.parametrize("metric", ["f1_macro", "neg_log_loss"])
def test_added_estimator_is_searched_and_refitted(added, metric):
    """Its own grid is searched, with labels or probabilities; out-of-fold and final fits work."""
    rows, spec = make_rows(), training_spec(added.name, metric=metric)
    matrices = FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, InTurn())
    report = search(rows, matrices, spec, InTurn(), lambda: 0.0)
    model = train_model(rows, matrices, report, spec, InTurn())
    predictions = predict_out_of_fold(rows, matrices, report.chosen, spec=spec, executor=InTurn())

    assert (added.name, {added.name}) == (model.estimator, {c.estimator for c in report.candidates})
    assert BASELINES == tuple(name for name, _ in model.baselines)
    refitted = predict(model.pipeline, rows, ("embeddings",))
    assert 0.8 < min((p.y_pred == p.y_true).mean() for p in (refitted, predictions))


def test_memory_of_an_added_estimator_is_estimated(added):
    n_rows = 10_000
    rows = make_rows(n_rows)
    need, other = (
        estimate_training_bytes(rows, training_spec(name), 1, IN_MEMORY)
        for name in (added.name, "dummy")
    )

    assert need - other > 20 * n_rows * 8


def test_memory_has_to_be_stated():
    """The memory of a fit has no default value, so it must be stated."""
    required = {f.name for f in fields(EstimatorKind) if f.default is f.default_factory is MISSING}

    assert {"memory", "name", "load", "default_grid"} == required
    with pytest.raises(TypeError, match="memory"):
        EstimatorKind(name="bayes", load=lambda: GaussianNB, default_grid={})
    with pytest.raises(TypeError, match="per_coefficient"):
        FitMemory(per_cell=1, per_occurrence=1)


def test_settings_know_an_added_estimator(added):
    """The name is in the check and in the schema."""
    flag = ("search.estimators", "--set", {added.name: {}})
    properties = settings_schema()["$defs"]["SearchSpec"]["properties"]

    assert {added.name: {}} == load_settings(None, {}, [flag]).settings.search.estimators
    assert sorted(ESTIMATOR_KINDS) == properties["estimators"]["propertyNames"]["enum"]


def test_unknown_estimator_is_refused_with_its_origin():
    flag = ("search.estimators", "--set", {"bayes": {}})

    with pytest.raises(
        ConfigurationError, match=r"estimators \(from --set\): unknown estimator 'bayes'"
    ):
        load_settings(None, {}, [flag])


def test_parameters_of_the_search_are_passed_where_they_exist():
    spec = SearchSpec(class_weight="balanced")
    logistic = ESTIMATOR_KINDS["logistic_regression"].build({"C": 3.0}, spec, 7)
    dummy = ESTIMATOR_KINDS["dummy"].build({}, spec, 7)

    assert isinstance(logistic, LogisticRegression)
    assert ("balanced", 7, 3.0) == (logistic.class_weight, logistic.random_state, logistic.C)
    assert 1000 == logistic.max_iter
    assert (7, False) == (dummy.random_state, "class_weight" in dummy.get_params())
    assert BAYES.build({}, spec, 7).get_params().keys() == GaussianNB().get_params().keys()


def test_kind_with_joint_fits_gets_all_its_models_at_once(monkeypatch):
    """This happens in the search; out-of-fold and final fits have a single model."""
    sizes = []

    def list_fits(models, X, y, groups):
        sizes.append((len(models), len(groups.group) == len(y) == len(X)))
        return [partial(model.fit, X, y) for model in models]

    monkeypatch.setitem(ESTIMATOR_KINDS, "bayes", replace(BAYES, list_fits=list_fits))
    rows, spec = make_rows(), training_spec("bayes")
    matrices = FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, InTurn())
    report = search(rows, matrices, spec, InTurn(), lambda: 0.0)
    train_model(rows, matrices, report, spec, InTurn())
    predict_out_of_fold(rows, matrices, report.chosen, spec=spec, executor=InTurn())

    assert 3 * [(2, True)] + 4 * [(1, True)] == sizes
