"""Decision values of folds become probabilities by calibrations on the other folds' rows."""

import numpy as np
import pytest
from sklearn.metrics import log_loss
from sklearn.svm import LinearSVC

from job.stages.training.fold_calibration import calibrate_folds, compute_decisions

METHODS = ["sigmoid", "temperature"]


def cut(n, n_folds=3):
    parts = np.array_split(np.random.default_rng(3).permutation(n), n_folds)
    return [(np.setdiff1d(np.arange(n), part), np.sort(part)) for part in parts]


def draw(n_classes, n=600):
    """Draw classes, and noisy decision values that are ten times too large."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, n_classes, n)
    decisions = 10 * (np.eye(n_classes)[codes] + rng.standard_normal((n, n_classes)))
    if n_classes == 2:
        decisions = np.stack([-decisions[:, 1], decisions[:, 1]], axis=1)
    return codes, decisions


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_probabilities_come_true(n_classes, method):
    """They sum to one, and are about as good as the best single number would make them."""
    codes, decisions = draw(n_classes)
    proba = calibrate_folds(decisions, codes, cut(len(codes)), method)
    scale = [log_loss(codes, _softmax(t * decisions)) for t in np.linspace(0.005, 1, 100)]

    assert np.float32 == proba.dtype
    assert proba.sum(axis=1) == pytest.approx(1)
    assert log_loss(codes, proba) < min(scale) + 0.05


@pytest.mark.parametrize("method", METHODS)
def test_labels_of_a_fold_are_not_in_its_own_calibration(method):
    """Changing these labels does not change one bit of the fold's probabilities."""
    codes, decisions = draw(3)
    folds = cut(len(codes))
    before = calibrate_folds(decisions, codes, folds, method)
    changed = codes.copy()
    changed[folds[0][1]] = (changed[folds[0][1]] + 1) % 3
    after = calibrate_folds(decisions, changed, folds, method)

    assert np.array_equal(before[folds[0][1]], after[folds[0][1]])
    assert not np.array_equal(before[folds[1][1]], after[folds[1][1]])


def test_temperature_leaves_the_order_of_the_classes():
    """One number for all classes divides the decision values."""
    codes, decisions = draw(4)
    proba = calibrate_folds(decisions, codes, cut(len(codes)), "temperature")

    assert np.array_equal(decisions.argmax(axis=1), proba.argmax(axis=1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_others", [1, 2, 3])
def test_class_that_a_fold_was_not_fitted_to_has_no_probability_there(n_others, method):
    """Two classes remain, and one decision value separates them."""
    codes, _ = draw(n_others + 1)
    folds = cut(len(codes))
    rare = n_others
    codes[codes == rare] = 0
    codes[folds[1][1][:20]] = rare
    if n_others == 1:
        codes[folds[0][1][:20]] = rare  # a linear SVC needs two classes
    _, decisions = draw(n_others + 1)
    proba = calibrate_folds(decisions, codes, folds, method)

    assert proba.sum(axis=1) == pytest.approx(1)
    if n_others > 1:
        assert (proba[folds[1][1], rare] == 0).all()
        assert (proba[folds[0][1], rare] > 0).all()


@pytest.mark.parametrize("met", [[0, 1, 2], [0, 2], [1, 2]])
def test_decision_values_are_in_the_order_of_all_classes(met):
    """For a class that the model does not know, they are those of a model without its rows."""
    classes = np.array(["a", "b", "c"])
    rng = np.random.default_rng(1)
    y = rng.choice(classes[met], 90)
    X = np.eye(3)[np.searchsorted(classes, y)] + 0.1 * rng.standard_normal((90, 3))
    model = LinearSVC().fit(X, y)
    decisions = compute_decisions(model, X, classes)
    missing = np.setdiff1d(np.arange(3), met)

    assert list(model.predict(X)) == classes[decisions.argmax(axis=1)].tolist()
    assert (decisions[:, missing] == -1).all()


def _softmax(logits):
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)
