"""Linear SVCs of the fast engine are those that liblinear finds, and so are their probabilities."""

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
    """Tables of many shapes: wide, collinear, constant, scaled, separable, of rare classes.

    Of single precision, as tables are, and of double.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes = draw(st.integers(2, 5))
    n, d = draw(st.integers(n_classes * 6, 200)), draw(st.integers(1, 120))
    share = draw(st.sampled_from([1.0, 0.3, 0.02])) ** np.arange(n_classes)
    drawn = rng.choice(n_classes, n - 3 * n_classes, p=share / share.sum())
    codes = np.concatenate([np.tile(np.arange(n_classes), 3), drawn])
    apart = draw(st.sampled_from([0.0, 1.0, 5.0]))
    X = rng.standard_normal((n, d)) + apart * rng.standard_normal((n_classes, d))[codes]
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
    """Give those of liblinear's objective, class by class, worked out from its formula."""
    X = np.hstack([X, np.ones((len(X), 1))]).astype(np.float64)
    of_class = {} if model.class_weight is None else weights_of(y)
    found = []
    for name, w in zip(model.classes_[-len(W) :], W, strict=True):
        t = np.where(y == name, 1.0, -1.0)
        is_weighted = (y == name) if len(W) > 1 else np.ones(len(y), bool)
        s = np.where(is_weighted, [of_class.get(label, 1.0) for label in y], 1.0)
        found.append(w - 2 * model.C * X.T @ (s * t * np.maximum(1 - t * (X @ w), 0)))
    return np.array(found)


def is_done(model, X, y):
    """Apply liblinear's rule: gradients against those at zero, times the share of the rarer side."""
    W = np.hstack([model.coef_, model.intercept_[:, None]])
    lengths, at_zero = (
        np.linalg.norm(gradients(model, some, X, y), axis=1) for some in (W, np.zeros_like(W))
    )
    shares = np.array([np.mean(y == name) for name in model.classes_[-len(W) :]])
    return np.all(lengths <= 1.001 * TOLERANCE * np.minimum(shares, 1 - shares) * at_zero)


def weights_of(y):
    labels, counts = np.unique(y, return_counts=True)
    return dict(zip(labels, len(y) / len(labels) / counts, strict=True))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems(), st.sampled_from([None, "balanced"]))
def test_ends_where_liblinears_rule_does(problem, class_weight):
    """The rule is asserted on liblinear's formula, with its own weights of classes.

    Its objective is strongly convex, so the rule bounds how far away the minimum can be.
    """
    X, y = problem
    models = [LinearSVC(C=c, class_weight=class_weight, tol=TOLERANCE, max_iter=3000) for c in C]
    fit_linear_models(models, X, y, InTurn())
    for model in models:
        if not hasattr(model, "coef_"):
            continue  # a few rows or columns of many scales may be left to scikit-learn
        assert is_done(model, X, y)


def make(n_classes=4, n=900, width=30, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.choice(n_classes, n, p=np.arange(1, n_classes + 1) / sum(range(n_classes + 1)))
    X = (rng.standard_normal((n, width)) + np.eye(n_classes, width)[codes]).astype(np.float32)
    return X, NAMES[codes].astype(str)


@pytest.mark.parametrize("seed", range(12))
def test_unit_rows_are_all_fitted(seed):
    """As the job scales them, whatever the number of classes, columns and rows."""
    rng = np.random.default_rng(seed)
    X, y = make(2 + seed % 4, n=int(rng.integers(150, 900)), width=int(rng.integers(8, 200)))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    weight = "balanced" if seed % 2 else None
    models = [LinearSVC(C=c, class_weight=weight, tol=TOLERANCE, max_iter=3000) for c in C]
    fit_linear_models(models, X, y, InTurn())

    assert [True] * 3 == [hasattr(model, "coef_") for model in models]


def sides(n, y):
    return [*StratifiedKFold(n).split(y, y)]


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
def test_probabilities_are_those_of_scikit_learns_calibration(n_classes, class_weight, method):
    """Which fits each fold anew; all the attributes are there, and nothing else."""
    X, y = make(n_classes)
    folds = sides(3, y)
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
        pairs = [model.calibrated_classifiers_[0] for model in (ours, theirs)]
        assert vars(pairs[0]).keys() == vars(pairs[1]).keys()
        kinds = [
            {k: (type(v), getattr(v, "dtype", None), np.shape(v)) for k, v in vars(m).items()}
            for m in map(linear_model, (ours, theirs))
        ]
        if method == "temperature":  # scikit-learn numbers the labels first
            kinds = [kind | {"classes_": None} for kind in kinds]
        assert kinds[0] == kinds[1]


def test_rows_that_a_fold_judges_do_not_reach_its_model():
    """Labels without a reason: whoever has seen them foretells them."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((300, 400)).astype(np.float32), NAMES[rng.integers(0, 2, 300)]
    y = y.astype(str)
    model = CalibratedClassifierCV(LinearSVC(C=10.0), cv=sides(3, y), ensemble=False)
    fit_linear_models([model], X, y, InTurn())
    decided = linear_model(model).decision_function(X)

    assert ((decided > 0) == (y == "b")).all()  # the model has seen all
    assert np.ptp(model.predict_proba(X)[:, 1]) < 0.5  # the curve is of those that have not


@pytest.mark.parametrize("n_classes", [2, 4])
def test_bits_do_not_depend_on_the_number_of_threads(n_classes):
    X, y = make(n_classes, n=5000)
    found = []
    for n_workers in (1, 2, 3):
        models = [LinearSVC(C=c) for c in C]
        fit_linear_models(models, X, y, LocalThreads(n_workers))
        found.append([(m.coef_.tobytes(), m.intercept_.tobytes()) for m in models])

    assert found[0] == found[1] == found[2]


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
def test_only_what_it_solves_is_taken(parameters):
    """Other losses and penalties are scikit-learn's, and so is the word on wrong values."""
    X, y = make()
    model = LinearSVC(**parameters)
    fit_linear_models([model], X, y, InTurn())

    assert not hasattr(model, "coef_")


def test_tolerance_that_no_precision_reaches_is_left_to_liblinear():
    """Soon: fifty iterations without a step forward end it, whatever `max_iter` says."""
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
def test_rare_class_that_weighs_as_much_as_the_others_is_fitted(n_rare, n_classes, is_calibrated):
    """Single precision does not reach the rule there, double does; the curves are fitted, too."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, n_classes - 1, 6000)
    codes[:n_rare] = n_classes - 1
    X = rng.standard_normal((6000, 48)) + 0.5 * np.eye(n_classes, 48)[codes]
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    y = NAMES[codes].astype(str)
    model = LinearSVC(C=10.0, class_weight="balanced", tol=TOLERANCE, max_iter=5000)
    if is_calibrated:
        model = CalibratedClassifierCV(model, cv=sides(3, y), ensemble=False)
    fit_linear_models([model], X, y, InTurn())

    assert is_done(linear_model(model), X, y)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_class_that_a_fold_has_not_learnt_counts_as_far_from_its_rows(n_classes):
    """scikit-learn refuses such folds, or holds minus infinity for a decision."""
    X, y = make(n_classes)
    name = NAMES[n_classes - 1]
    is_rare = y == name
    folds = [
        (np.setdiff1d(inner, np.flatnonzero(is_rare)) if n == 0 else inner, outer)
        for n, (inner, outer) in enumerate(sides(3, y))
    ]
    model = CalibratedClassifierCV(LinearSVC(), cv=folds, ensemble=False)
    fit_linear_models([model], X, y, InTurn())
    whole = CalibratedClassifierCV(LinearSVC(), cv=sides(3, y), ensemble=False).fit(X, y)
    ours, theirs = (m.predict_proba(X)[is_rare, -1].mean() for m in (model, whole))

    assert 0.3 * theirs < ours < 1.1 * theirs


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scikit_learn_alone_says_which_class_a_fold_lacks(n_classes):
    """And what to do about it."""
    X, y = make(n_classes)
    inner, outer = sides(2, y)[0]
    name = NAMES[n_classes - 1]
    folds = [(inner[y[inner] != name], outer), (outer, inner)]
    model = CalibratedClassifierCV(LinearSVC(), cv=folds, ensemble=False)
    with pytest.raises(TrainingError, match=f"no row of '{name}' to learn from"):
        fit(model, X, y, "linear_svc")


def test_folds_that_judge_some_rows_only_are_refused():
    """As scikit-learn refuses them; nothing is learnt from rows without a decision."""
    X, y = make()
    model = CalibratedClassifierCV(LinearSVC(), cv=sides(3, y)[:2], ensemble=False)
    with pytest.raises(ValueError, match="NaN"):
        fit_linear_models([model], X, y, InTurn())
