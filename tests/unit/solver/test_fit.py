"""The solver converges to scikit-learn's minimum, on all kinds of problems."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from support.executors import InTurn

from job.adapters.executors.local import LocalThreads
from job.solver.fit import fit_linear_models, fit_logistic
from job.solver.losses import Logistic
from job.solver.problems import LinearProblems, StopRule, WarmStart

C = (0.01, 1.0, 30.0)
TOLERANCE = 1e-7
MAX_ITER = 3000


def solve(
    X,
    codes,
    weights=None,
    C=C,
    *,
    tolerance=TOLERANCE,
    max_iter=MAX_ITER,
    suboptimality=0.0,
    start=None,
):
    weights = np.ones(len(codes)) if weights is None else weights
    problems = LinearProblems.of(codes, weights, C, Logistic())
    stop = StopRule(tolerance=tolerance, max_iter=max_iter, suboptimality=suboptimality)
    with InTurn().pool() as parallel_map:
        return fit_logistic(X, problems, stop, parallel_map, start)


def probabilities(X, W, b):
    Z = np.asarray(X @ W.T) + b
    if Z.shape[1] == 1:
        Z = np.hstack([np.zeros_like(Z), Z])
    Z = np.exp(Z - Z.max(axis=1, keepdims=True))
    return Z / Z.sum(axis=1, keepdims=True)


def gradient(X, codes, weights, W, b, C):
    """Return the gradient of scikit-learn's objective, computed in float64 from its formula."""
    X = np.asarray(X.todense() if sparse.issparse(X) else X, np.float64)
    p = probabilities(X, W, b)
    p[np.arange(len(codes)), codes] -= 1
    R = (p * weights[:, None])[:, -len(W) :] / weights.sum()
    return np.hstack([R.T @ X + W / (C * weights.sum()), R.sum(axis=0)[:, None]])


@st.composite
def problems(draw):
    """Draw small problems of all kinds that a search may meet."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes = draw(st.integers(2, 6))
    n, d = draw(st.integers(n_classes * 2, 80)), draw(st.integers(1, 60))
    codes = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)])
    X = (
        rng.standard_normal((n, d))
        + draw(st.sampled_from([0.0, 1.0, 20.0])) * rng.standard_normal((n_classes, d))[codes]
    )
    kind = draw(st.sampled_from(["plain", "collinear", "constant", "scaled", "shifted"]))
    if kind == "collinear":
        X = np.hstack([X, X[:, :1] * 2, X[:, :1]])
    if kind == "constant":
        X = np.hstack([X, np.ones((n, 2)), np.zeros((n, 1))])
    if kind == "scaled":
        X = X * 10.0 ** rng.integers(-2, 2, d)
    if kind == "shifted":
        X = X + 10
    layout = draw(st.sampled_from(["full", "sparse", "mixed"]))
    if layout != "full":
        X = X * (rng.random(X.shape) < 0.3)
    if layout == "mixed":
        X = np.hstack([X[:, :5], rng.standard_normal((n, 20)), X[:, 5:]])
    weights = draw(st.sampled_from(["ones", "random", "balanced"]))
    s = {
        "ones": np.ones(n),
        "random": rng.random(n) + 0.1,
        "balanced": (n / n_classes / np.bincount(codes))[codes],
    }[weights]
    return (X if layout == "full" else sparse.csr_matrix(X)), codes, s


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_gradient_is_zero_where_it_ends(problem):
    """The stopping rule is asserted on the formula itself, in the original coordinates.

    With few rows and very different column scales, the iterations may not suffice, or fifty of them
    make no progress: then the reported error is above the tolerance, and correct.
    """
    X, codes, weights = problem
    fits = solve(X, codes, weights)

    assert ((fits.errors <= TOLERANCE) | (fits.n_iter > 50)).all()
    for n, c in enumerate(C):
        by_formula = gradient(X, codes, weights, fits.coefficients[n], fits.intercepts[n], c)
        assert np.abs(by_formula).max() == pytest.approx(fits.errors[n], rel=1e-2, abs=1e-12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_probabilities_are_those_of_a_cold_fit(problem):
    """scikit-learn, started from zero and run to the same tolerance, gives the same.

    Checked where it converges: its solver gives up after 15,000 evaluations.
    """
    X, codes, weights = problem
    fits = solve(X, codes, weights)
    for n in np.flatnonzero(fits.errors <= TOLERANCE):
        cold = LogisticRegression(C=C[n], tol=TOLERANCE, max_iter=20_000).fit(X, codes, weights)
        by_formula = gradient(X, codes, weights, cold.coef_, cold.intercept_, C[n])
        if np.abs(by_formula).max() <= 2 * TOLERANCE:
            ours = probabilities(X, fits.coefficients[n], fits.intercepts[n])
            np.testing.assert_allclose(ours, cold.predict_proba(X), atol=2e-3)


@pytest.mark.parametrize("layout", ["full", "sparse", "mixed"])
def test_bits_do_not_depend_on_the_number_of_threads(layout):
    """Spans depend on the matrix only, and their results are added in their order."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 30)).astype(np.float32)
    if layout != "full":
        X[:, 20 if layout == "mixed" else 0 :] *= rng.random((5000, 1)) < 0.3
        X = sparse.csr_matrix(X)
    codes = rng.integers(0, 4, 5000)
    results = []
    for n_workers in (1, 2, 3):
        with LocalThreads(n_workers).pool() as parallel_map:
            problems = LinearProblems.of(codes, np.ones(5000), C, Logistic())
            stop = StopRule(tolerance=1e-5, max_iter=100)
            fits = fit_logistic(X, problems, stop, parallel_map)
            results.append((fits.coefficients.tobytes(), fits.intercepts.tobytes()))

    assert 1 == len(set(results))


def test_blocks_are_summed_up_whatever_their_size(monkeypatch):
    """Many blocks of rows per span, the last one smaller, lead to the same minimum."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 5000)
    X = (rng.standard_normal((5000, 30)) + np.eye(4, 30)[codes]).astype(np.float32)
    monkeypatch.setattr("job.solver.dense_design._MAX_ROWS", 300)
    results = []
    for n_workers in (1, 2):
        with LocalThreads(n_workers).pool() as parallel_map:
            problems = LinearProblems.of(codes, np.ones(5000), C, Logistic())
            stop = StopRule(tolerance=TOLERANCE, max_iter=500)
            fits = fit_logistic(X, problems, stop, parallel_map)
            results.append((fits.coefficients.tobytes(), fits.intercepts.tobytes()))

    assert results[0] == results[1]
    assert (fits.errors <= TOLERANCE).all()
    for W, b, c in zip(fits.coefficients, fits.intercepts, C, strict=True):
        assert np.abs(gradient(X, codes, np.ones(5000), W, b, c)).max() <= 2 * TOLERANCE


def test_float32_reaches_a_fine_tolerance():
    """Rounding errors of float32 sums leave the gradient exact enough."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, 4000)
    X = (rng.standard_normal((4000, 40)) + np.eye(5, 40)[codes]).astype(np.float32)
    fits = solve(X, codes, tolerance=1e-6)

    assert (fits.errors <= 1e-6).all()


def with_rare_class(n_classes, seed):
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.full(20, n_classes - 1), rng.integers(0, n_classes - 1, 8980)])
    X = rng.normal(size=(9000, 48)) + 0.5 * np.eye(n_classes, 48)[codes]
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), codes


@pytest.mark.parametrize("n_classes", [3, 4])
def test_rare_class_converges_in_double_precision(n_classes):
    """The gradient of twenty rows in thousands is smaller than the rounding errors of the others."""
    n_double = 0
    for seed in (5, 6, 7):
        X, codes = with_rare_class(n_classes, seed)
        fits = solve(X, codes, C=[10.0], tolerance=1e-6)
        n_double += fits.coefficients.dtype == np.float64
        by_formula = gradient(
            X, codes, np.ones(9000), fits.coefficients[0], fits.intercepts[0], 10.0
        )

        assert (fits.errors <= 1e-6).all()
        assert np.abs(by_formula).max() <= 2e-6
    assert n_double


def test_bits_in_double_precision_do_not_depend_on_the_number_of_threads():
    """Predictions do not need float64: models have the precision of their matrix."""
    X, codes = with_rare_class(3, 5)
    results = []
    for n_workers in (1, 2):
        models = [LogisticRegression(C=c, tol=1e-6, max_iter=1000) for c in (1.0, 10.0)]
        fit_linear_models(models, X, codes, LocalThreads(n_workers))
        assert {np.dtype(np.float32)} == {m.coef_.dtype for m in models}
        results.append([(m.coef_.tobytes(), m.intercept_.tobytes()) for m in models])

    assert results[0] == results[1]


def test_model_out_of_iterations_reports_an_error_above_the_tolerance():
    """So the caller can tell that it is not fitted."""
    rng = np.random.default_rng(0)
    fits = solve(rng.standard_normal((60, 5)), rng.integers(0, 3, 60), max_iter=2)

    assert (fits.errors > TOLERANCE).all()
    assert [2, 2, 2] == fits.n_iter.tolist()


def test_batches_of_one_give_the_models_of_one_batch(monkeypatch):
    """Memory limits how many are fitted together, which does not change the result."""
    rng = np.random.default_rng(0)
    X, codes = rng.standard_normal((200, 6)), rng.integers(0, 3, 200)
    together = solve(X, codes)
    monkeypatch.setattr("job.solver.dense_batch._BATCH_BYTES", 1)
    alone = solve(X, codes)

    np.testing.assert_allclose(together.coefficients, alone.coefficients, atol=1e-4)
    assert together.coefficients.shape == alone.coefficients.shape == (3, 3, 6)


def objective(X, codes, W, b, C):
    """Return scikit-learn's objective in its own scaling."""
    p = probabilities(np.asarray(X, np.float64), W, b)[np.arange(len(codes)), codes]
    return -np.log(p).mean() + (W**2).sum() / (2 * C * len(codes))


@pytest.mark.parametrize("suboptimality", [1e-3, 1e-5])
def test_suboptimality_is_the_distance_to_the_minimum(suboptimality):
    """The estimate by half the squared gradient in the basis is right within a factor of ten."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 3000)
    X = rng.standard_normal((3000, 30)) * 3.0 ** -np.arange(30) + np.eye(4, 30)[codes]
    early, exact = (
        solve(X, codes, tolerance=1e-9, suboptimality=value) for value in (suboptimality, 0.0)
    )
    for n, c in enumerate(C):
        losses = [
            objective(X, codes, f.coefficients[n], f.intercepts[n], c) for f in (early, exact)
        ]
        assert 0 <= losses[0] - losses[1] <= 10 * suboptimality
    assert (early.n_iter < exact.n_iter).all()


@pytest.mark.parametrize("layout", ["full", "sparse", "mixed"])
def test_start_leads_to_the_same_models(layout):
    """Wherever it starts, and in whatever order the values of C are given."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 60))
    if layout != "full":
        X[:, 20 if layout == "mixed" else 0 :] *= rng.random((400, 1)) < 0.2
        X = sparse.csr_matrix(X)
    codes, values = rng.integers(0, 4, 400), (30.0, 0.01, 1.0)
    cold = solve(X, codes, C=values)
    perturbed = cold.coefficients + 0.3 * rng.standard_normal(cold.coefficients.shape)
    warm = solve(
        X, codes, C=values, start=WarmStart(coefficients=perturbed, intercepts=cold.intercepts + 1)
    )

    assert (warm.errors <= TOLERANCE).all()
    np.testing.assert_allclose(warm.coefficients, cold.coefficients, atol=1e-3)
    for n in range(3):
        ours, theirs = (probabilities(X, f.coefficients[n], f.intercepts[n]) for f in (warm, cold))
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_start_at_the_minimum_ends_there():
    """One evaluation is enough."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 400)
    X = sparse.csr_matrix(rng.standard_normal((400, 50)) * (rng.random((400, 1)) < 0.2))
    cold = solve(X, codes, C=[1.0])
    warm = solve(
        X,
        codes,
        C=[1.0],
        start=WarmStart(coefficients=cold.coefficients, intercepts=cold.intercepts),
    )

    assert [1] == warm.n_iter.tolist()
