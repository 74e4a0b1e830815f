"""One number makes confidence match accuracy, and does not change the predicted classes."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from support.simulated import simulate

from job.stages.metrics.row_metrics import calibration_error, log_losses
from job.stages.training.temperature_scaling import (
    apply_temperature,
    apply_temperature_by_fold,
    describe_temperature,
    find_temperature,
    scale_coefficients,
)


@pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
def test_temperature_undoes_what_sharpened_a_calibrated_model(power):
    """The temperature equals the exponent, for sharpened and flattened models."""
    predictions, _ = simulate(40_000, np.random.default_rng(0), sharpened=power)

    assert find_temperature(predictions) == pytest.approx(power, rel=0.03)


def test_scaled_model_is_calibrated_and_predicts_the_same():
    """This is measured on rows that the temperature was not learned on."""
    rng = np.random.default_rng(1)
    chosen, fresh = (simulate(20_000, rng, sharpened=3.0)[0] for _ in range(2))
    scaled = apply_temperature(fresh, find_temperature(chosen))

    assert calibration_error(scaled) < 0.015 < 0.05 < calibration_error(fresh)
    assert log_losses(scaled).mean() < log_losses(fresh).mean()
    assert np.array_equal(scaled.y_pred, fresh.y_pred)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scaled_coefficients_yield_the_scaled_probabilities(n_classes):
    """This holds for two classes and for many."""
    rng = np.random.default_rng(2)
    y = rng.integers(0, n_classes, 300)
    X = rng.standard_normal((300, 5)) + np.eye(n_classes, 5)[y]
    model = LogisticRegression().fit(X, y)
    predictions, _ = simulate(300, rng)
    expected = apply_temperature(_with(predictions, model.predict_proba(X)), 0.4).proba
    scale_coefficients(Pipeline([("classifier", model)]), 0.4)

    assert model.predict_proba(X) == pytest.approx(expected, abs=1e-12)


def _with(predictions, proba):
    return type(predictions)(
        classes=predictions.classes,
        y_true=predictions.y_true,
        proba=proba,
        model_classes=np.arange(proba.shape[1]),
    )


def test_before_and_after_are_described():
    """Before is the model without temperature scaling."""
    predictions, _ = simulate(5000, np.random.default_rng(3), sharpened=2.0)
    description = describe_temperature(predictions, apply_temperature(predictions, 2.0), 2.0)

    assert description.before.log_loss == pytest.approx(log_losses(predictions).mean(), abs=1e-6)
    assert description.after.log_loss < description.before.log_loss


def test_fold_is_scaled_by_the_temperature_of_the_others():
    """An overconfident fold is scaled by the temperature of the other folds."""
    predictions, _ = simulate(6000, np.random.default_rng(4))
    fold = np.arange(6000) % 3
    sharp = apply_temperature(predictions, 0.5)
    mixed = predictions.proba.astype(float)
    mixed[fold == 0] = sharp.proba[fold == 0]
    scaled = apply_temperature_by_fold(_with(predictions, mixed), fold, range(3))
    expected = apply_temperature(
        sharp.take(fold == 0), find_temperature(predictions.take(fold != 0))
    )

    assert scaled.proba[fold == 0] == pytest.approx(expected.proba, abs=1e-9)


def test_probabilities_of_zero_in_single_precision_can_be_scaled():
    """Prototypes are confident in single precision, in which the logarithm's floor is zero."""
    predictions, _ = simulate(20, np.random.default_rng(4))
    sure = np.zeros_like(predictions.proba, np.float32)
    sure[:, 0] = 1
    with np.errstate(all="raise"):
        scaled = apply_temperature(_with(predictions, sure), 2.0)

    assert np.isfinite(scaled.proba).all()
