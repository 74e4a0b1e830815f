"""Linear SVCs of the fast engine, and their probabilities, equal those of liblinear."""

import numpy as np
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC
from support.executors import InTurn

from job.adapters.executors.local import LocalThreads
from job.errors import TrainingError
from job.solver.fit import fit_linear_models
from job.solver.linear_svc import linear_model
from job.stages.training.sklearn_fit import fit

C = (0.01, 1.0, 30.0)
TOLERANCE = 1e-5
NAMES = np.array(["a", "b", "c", "d", "e"], dtype=object)


@st.composite
def problems(draw):
    """Draw tables: wide, collinear, constant, scaled, separable, with rare classes.

    In single precision, as tables are, and in double precision.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes = draw(st.integers(2, 5))
    n, d = draw(st.integers(n_classes * 6, 200)), draw(st.integers(1, 120))
    share = draw(st.sampled_from([1.0, 0.3, 0.02])) ** np.arange(n_classes)
    drawn = rng.choice(n_classes, n - 3 * n_classes, p=share / share.sum())
    codes = np.concatenate([np.tile(np.arange(n_classes), 3), drawn])
    distance = draw(st.sampled_from([0.0, 1.0, 5.0]))
    X = rng.standard_normal((n, d)) + distance * rng.standard_normal((n_classes, d))[codes]
    kind = draw(st.sampled_from(["plain", "collinear", "constant", "scaled", "shifted"]))
    if kind == "collinear":
        X = np.hstack([X, X[:, :1] * 2, X[:, :1]])
    if kind == "constant":
        X = np.hstack([X, np.ones((n, 2)), np.zeros((n, 1))])
    if kind == "scaled":
        X = X * 10.0 ** rng.integers(-1, 2, X.shape[1])
    if kind == "shifted":
        X = X + 3
    X = X.astype(draw(st.sampled_from([np.float32, np.float64])))
    return X, NAMES[codes].astype(str)


def gradients(model, W, X, y):
    """Return the gradients of liblinear's objective, class by class, from its formula."""
    X = np.hstack([X, np.ones((len(X), 1))]).astype(np.float64)
    class_weights = {} if model.class_weight is None else balanced_weights(y)
    by_class = []
    for name, w in zip(model.classes_[-len(W) :], W, strict=True):
        t = np.where(y == name, 1.0, -1.0)
        is_weighted = (y == name) if len(W) > 1 else np.ones(len(y), bool)
        s = np.where(is_weighted, [class_weights.get(label, 1.0) for label in y], 1.0)
        by_class.append(w - 2 * model.C * X.T @ (s * t * np.maximum(1 - t * (X @ w), 0)))
    return np.array(by_class)


def is_converged(model, X, y):
    """Apply liblinear's rule: norms relative to those at zero, times the rarer side's share."""
    W = np.hstack([model.coef_, model.intercept_[:, None]])
    norms, at_zero = (
        np.linalg.norm(gradients(model, point, X, y), axis=1) for point in (W, np.zeros_like(W))
    )
    shares = np.array([np.mean(y == name) for name in model.classes_[-len(W) :]])
    return np.all(norms <= 1.001 * TOLERANCE * np.minimum(shares, 1 - shares) * at_zero)


def balanced_weights(y):
    labels, counts = np.unique(y, return_counts=True)
    return dict(zip(labels, len(y) / len(labels) / counts, strict=True))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(), st.sampled_from([None, "balanced"]))
def test_converges_by_liblinears_rule(problem, class_weight):
    """The rule is asserted on liblinear's formula, with its own class weights.

    The objective is strongly convex, so the rule bounds the distance to the minimum.
    """
    X, y = problem
    models = [LinearSVC(C=c, class_weight=class_weight, tol=TOLERANCE, max_iter=3000) for c in C]
    fit_linear_models(models, X, y, InTurn())
    for model in models:
        if not hasattr(model, "coef_"):
            continue  # few rows, or very different column scales, may be left to scikit-learn
        assert is_converged(model, X, y)


def make(n_classes=4, n=900, width=30, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.choice(n_classes, n, p=np.arange(1, n_classes + 1) / sum(range(n_classes + 1)))
    X = (rng.standard_normal((n, width)) + np.eye(n_classes, width)[codes]).astype(np.float32)
    return X, NAMES[codes].astype(str)


@pytest.mark.parametrize("seed", range(12))
def test_unit_rows_are_all_fitted(seed):
    """The job scales rows to length 1; with any number of classes, columns and rows."""
    rng = np.random.default_rng(seed)
    X, y = make(2 + seed % 4, n=int(rng.integers(150, 900)), width=int(rng.integers(8, 200)))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    weight = "balanced" if seed % 2 else None
    models = [LinearSVC(C=c, class_weight=weight, tol=TOLERANCE, max_iter=3000) for c in C]
    fit_linear_models(models, X, y, InTurn())

    assert [True] * 3 == [hasattr(model, "coef_") for model in models]


def make_folds(n, y):
    return [*StratifiedKFold(n).split(y, y)]


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
def test_probabilities_are_those_of_scikit_learns_calibration(n_classes, class_weight, method):
    """scikit-learn fits each fold separately; the models have the same attributes."""
    X, y = make(n_classes)
    folds = make_folds(3, y)
    models = [
        CalibratedClassifierCV(
            LinearSVC(C=c, class_weight=class_weight, dual=False, tol=TOLERANCE),
            method=method,
            cv=folds,
            ensemble=False,
        )
        for c in C
    ]
    fit_linear_models(models, X, y, InTurn())
    for ours in models:
        theirs = clone(ours).fit(X, y)

        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
        assert ours.predict(X).tolist() == theirs.predict(X).tolist()
        assert vars(ours).keys() == vars(theirs).keys()
        calibrated = [model.calibrated_classifiers_[0] for model in (ours, theirs)]
        assert vars(calibrated[0]).keys() == vars(calibrated[1]).keys()
        kinds = [
            {k: (type(v), getattr(v, "dtype", None), np.shape(v)) for k, v in vars(m).items()}
            for m in map(linear_model, (ours, theirs))
        ]
        if method == "temperature":  # scikit-learn numbers the labels first
            kinds = [kind | {"classes_": None} for kind in kinds]
        assert kinds[0] == kinds[1]


def test_test_rows_of_a_fold_do_not_reach_its_model():
    """Random labels: only a model that was fitted to a row can predict it."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 400)).astype(np.float32), NAMES[rng.integers(0, 2, 300)]
    y = y.astype(str)
    model = CalibratedClassifierCV(LinearSVC(C=10.0), cv=make_folds(3, y), ensemble=False)
    fit_linear_models([model], X, y, InTurn())
    decided = linear_model(model).decision_function(X)

    assert ((decided > 0) == (y == "b")).all()  # the model is fitted to all rows
    assert np.ptp(model.predict_proba(X)[:, 1]) < 0.5  # the calibration is not


@pytest.mark.parametrize("n_classes", [2, 4])
def test_bits_do_not_depend_on_the_number_of_threads(n_classes):
    X, y = make(n_classes, n=5000)
    results = []
    for n_workers in (1, 2, 3):
        models = [LinearSVC(C=c) for c in C]
        fit_linear_models(models, X, y, LocalThreads(n_workers))
        results.append([(m.coef_.tobytes(), m.intercept_.tobytes()) for m in models])

    assert results[0] == results[1] == results[2]


def test_sparse_matrices_are_left_to_liblinear():
    X, y = make()
    model = LinearSVC()
    fit_linear_models([model], sparse.csr_matrix(X), y, InTurn())

    assert not hasattr(model, "coef_")


@pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "hinge"},
        {"penalty": "l1", "dual": False},
        {"fit_intercept": False},
        {"intercept_scaling": 10.0},
        {"multi_class": "crammer_singer"},
        {"class_weight": {"a": 2.0}},
        {"C": -1.0},
        {"max_iter": 0},
        {"dual": "yes"},
        {"random_state": "one"},
        {"fit_intercept": 1},
    ],
)
def test_only_supported_parameters_are_fitted(parameters):
    """Other losses and penalties are left to scikit-learn, and so are invalid values."""
    X, y = make()
    model = LinearSVC(**parameters)
    fit_linear_models([model], X, y, InTurn())

    assert not hasattr(model, "coef_")


def test_unreachable_tolerance_is_left_to_liblinear():
    """Soon: the fit ends after fifty iterations without progress, whatever `max_iter` is."""
    X, y = make()
    model = LinearSVC(C=10.0, tol=1e-18, max_iter=10**9)
    with structlog.testing.capture_logs() as logs:
        fit_linear_models([model], X, y, InTurn())

    assert not hasattr(model, "coef_")
    assert [("fast_engine_fell_back", "LinearSVC", [10.0])] == [
        (e["event"], e["estimator"], e["C"])
        for e in logs
        if e["event"] == "fast_engine_fell_back" and e["log_level"] == "debug"
    ]


@pytest.mark.parametrize("n_rare", [20, 60])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("is_calibrated", [False, True])
def test_rare_class_with_balanced_weight_is_fitted(n_rare, n_classes, is_calibrated):
    """Double precision converges where single does not; calibrations are fitted, too."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, n_classes - 1, 6000)
    codes[:n_rare] = n_classes - 1
    X = rng.standard_normal((6000, 48)) + 0.5 * np.eye(n_classes, 48)[codes]
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    y = NAMES[codes].astype(str)
    model = LinearSVC(C=10.0, class_weight="balanced", tol=TOLERANCE, max_iter=5000)
    if is_calibrated:
        model = CalibratedClassifierCV(model, cv=make_folds(3, y), ensemble=False)
    fit_linear_models([model], X, y, InTurn())

    assert is_converged(linear_model(model), X, y)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_class_without_training_rows_in_a_fold_gets_negative_decisions_there(n_classes):
    """scikit-learn refuses such folds, or uses a decision value of minus infinity."""
    X, y = make(n_classes)
    name = NAMES[n_classes - 1]
    is_rare = y == name
    folds = [
        (np.setdiff1d(train, np.flatnonzero(is_rare)) if n == 0 else train, test)
        for n, (train, test) in enumerate(make_folds(3, y))
    ]
    model = CalibratedClassifierCV(LinearSVC(), cv=folds, ensemble=False)
    fit_linear_models([model], X, y, InTurn())
    whole = CalibratedClassifierCV(LinearSVC(), cv=make_folds(3, y), ensemble=False).fit(X, y)
    ours, theirs = (m.predict_proba(X)[is_rare, -1].mean() for m in (model, whole))

    assert 0.3 * theirs < ours < 1.1 * theirs


@pytest.mark.parametrize("n_classes", [2, 3])
def test_error_of_scikit_learn_names_the_class_that_a_fold_lacks(n_classes):
    """The reference engine refuses such folds."""
    X, y = make(n_classes)
    train, test = make_folds(2, y)[0]
    name = NAMES[n_classes - 1]
    folds = [(train[y[train] != name], test), (test, train)]
    model = CalibratedClassifierCV(LinearSVC(), cv=folds, ensemble=False)
    with pytest.raises(TrainingError, match=f"no training rows of class '{name}'"):
        fit(model, X, y, "linear_svc")


def test_folds_without_some_test_rows_are_refused():
    """As scikit-learn refuses them: rows without a decision value cannot calibrate."""
    X, y = make()
    model = CalibratedClassifierCV(LinearSVC(), cv=make_folds(3, y)[:2], ensemble=False)
    with pytest.raises(ValueError, match="NaN"):
        fit_linear_models([model], X, y, InTurn())
