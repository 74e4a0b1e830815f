"""The solver ends where scikit-learn's exact solver ends, on every kind of problem."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from support.executors import InTurn

from job.stages.search.designs import make_design
from job.stages.search.logistic import fit_many

C = (0.01, 1.0, 30.0)
TOLERANCE = 1e-7


def solve(X, codes, weights=None, C=C, *, tolerance=TOLERANCE, max_iter=3000):
    weights = np.ones(len(codes)) if weights is None else weights
    with InTurn().pool() as spread:
        design = make_design(X, spread)
        return fit_many(design, codes, weights, C, tolerance=tolerance, max_iter=max_iter)


def probabilities(X, W, b):
    Z = np.asarray(X @ W.T) + b
    if Z.shape[1] == 1:
        Z = np.hstack([np.zeros_like(Z), Z])
    Z = np.exp(Z - Z.max(axis=1, keepdims=True))
    return Z / Z.sum(axis=1, keepdims=True)


def gradient(X, codes, weights, W, b, C):
    """Give the derivative of scikit-learn's objective, worked out in float64 from its formula."""
    X = np.asarray(X.todense() if sparse.issparse(X) else X, np.float64)
    p = probabilities(X, W, b)
    p[np.arange(len(codes)), codes] -= 1
    R = (p * weights[:, None])[:, -len(W) :] / weights.sum()
    return np.hstack([R.T @ X + W / (C * weights.sum()), R.sum(axis=0)[:, None]])


@st.composite
def problems(draw):
    """Small problems of every kind that a search may meet."""
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
    is_sparse = draw(st.booleans())
    if is_sparse:
        X = X * (rng.random(X.shape) < 0.3)
    weights = draw(st.sampled_from(["ones", "random", "balanced"]))
    s = {
        "ones": np.ones(n),
        "random": rng.random(n) + 0.1,
        "balanced": (n / n_classes / np.bincount(codes))[codes],
    }[weights]
    return (sparse.csr_matrix(X) if is_sparse else X), codes, s


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_gradient_is_zero_where_it_ends(problem):
    """The rule of the end is asserted on the formula itself, in the original coordinates."""
    X, codes, weights = problem
    fits = solve(X, codes, weights)

    assert (fits.errors <= TOLERANCE).all()
    for n, c in enumerate(C):
        by_formula = gradient(X, codes, weights, fits.coefficients[n], fits.intercepts[n], c)
        assert np.abs(by_formula).max() <= 1.01 * TOLERANCE


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_probabilities_are_those_of_a_cold_fit(problem):
    """scikit-learn, started from zero and run to the same tolerance, says the same."""
    X, codes, weights = problem
    fits = solve(X, codes, weights)
    for n, c in enumerate(C):
        cold = LogisticRegression(C=c, tol=TOLERANCE, max_iter=20_000).fit(X, codes, weights)
        ours = probabilities(X, fits.coefficients[n], fits.intercepts[n])
        np.testing.assert_allclose(ours, cold.predict_proba(X), atol=2e-3)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_bits_do_not_depend_on_the_number_of_threads(kind, monkeypatch):
    """Spans follow from the matrix alone, and are added in their order."""
    monkeypatch.setattr("job.stages.search.lbfgs._SPAN", 16)
    from job.adapters.executors.local import LocalThreads

    rng = np.random.default_rng(0)
    X = kind(rng.standard_normal((5000, 30)).astype(np.float32) * (rng.random((5000, 30)) < 0.5))
    codes = rng.integers(0, 4, 5000)
    found = []
    for n_workers in (1, 2, 3):
        with LocalThreads(n_workers).pool() as spread:
            fits = fit_many(
                make_design(X, spread), codes, np.ones(5000), C, tolerance=1e-5, max_iter=100
            )
            found.append((fits.coefficients.tobytes(), fits.intercepts.tobytes()))

    assert 1 == len(set(found))


def test_float32_reaches_a_fine_tolerance():
    """Sums of float32 leave enough of the gradient."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, 4000)
    X = (rng.standard_normal((4000, 40)) + np.eye(5, 40)[codes]).astype(np.float32)
    fits = solve(X, codes, tolerance=1e-6)

    assert (fits.errors <= 1e-6).all()


def test_one_that_is_out_of_iterations_says_so():
    """Its error is above the tolerance; the caller must not take it for fitted."""
    rng = np.random.default_rng(0)
    fits = solve(rng.standard_normal((60, 5)), rng.integers(0, 3, 60), max_iter=2)

    assert (fits.errors > TOLERANCE).all()
    assert [2, 2, 2] == fits.n_iter.tolist()


def test_batches_of_one_give_what_a_whole_batch_gives(monkeypatch):
    """Memory decides how many are fitted side by side, and changes nothing that is found."""
    rng = np.random.default_rng(0)
    X, codes = rng.standard_normal((200, 6)), rng.integers(0, 3, 200)
    together = solve(X, codes)
    monkeypatch.setattr("job.stages.search.logistic._BATCH_BYTES", 1)
    alone = solve(X, codes)

    np.testing.assert_allclose(together.coefficients, alone.coefficients, atol=1e-4)
    assert together.coefficients.shape == alone.coefficients.shape == (3, 3, 6)
