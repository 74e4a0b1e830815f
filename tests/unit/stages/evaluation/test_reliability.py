"""Confidence is compared with accuracy, in bins with enough rows."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.simulated import simulate

from job.stages.evaluation.reliability import (
    MIN_ROWS,
    describe_bins,
    measure_reliability,
    trace_risk,
)
from job.stages.metrics.predictions import Predictions


def test_calibrated_simulation_lies_on_the_diagonal():
    """Each bin is within four standard errors, overall and for each class."""
    predictions, _ = simulate(60_000, np.random.default_rng(0))
    report = measure_reliability(predictions)
    all_bins = [report.bins, *(c.bins for c in report.per_class.values())]

    for bins in all_bins:
        p, n = np.array(bins.confidence), np.array(bins.n_rows)
        error = np.sqrt(p * (1 - p) / n) + 1e-4
        assert (np.abs(np.array(bins.accuracy) - p) < 4 * error).all()
    assert all(c.calibration_error < 0.02 for c in report.per_class.values())


def test_too_sure_a_model_lies_below_the_diagonal():
    """This holds in every bin, except where confidence is at its maximum."""
    predictions, _ = simulate(20_000, np.random.default_rng(0), sharpened=3.0)
    bins = measure_reliability(predictions).bins

    assert (np.array(bins.accuracy) < np.array(bins.confidence))[:-1].all()


@given(st.lists(st.integers(0, 12), max_size=400), st.integers(0, 2**32 - 1))
def test_no_bin_has_fewer_rows_than_the_minimum(steps, seed):
    """This holds with any ties; if there are too few rows, no bin is shown."""
    confidence = np.array(steps, float) / 12
    is_right = np.random.default_rng(seed).random(len(steps)) < confidence
    bins = describe_bins(confidence, is_right)
    hits = np.dot(bins.accuracy, bins.n_rows) if bins.n_rows else 0

    assert all(n >= MIN_ROWS for n in bins.n_rows)
    assert sum(bins.n_rows) == (len(steps) if len(steps) >= MIN_ROWS else 0)
    assert hits == pytest.approx(is_right.sum() if bins.n_rows else 0, abs=0.1)


def test_equal_confidence_shares_a_bin():
    """Otherwise the order of the rows would determine the bins."""
    confidence = np.repeat([0.5, 0.9], [100, 50])
    is_right = np.tile([True, False], 75)
    bins = describe_bins(confidence, is_right)

    assert (100, 50) == bins.n_rows
    assert (0.5, 0.9) == bins.confidence


def test_coverage_grows_while_the_threshold_falls():
    """The curve starts at the minimum number of rows and ends at all rows, with the total error."""
    predictions, _ = simulate(300, np.random.default_rng(1))
    curve = trace_risk(predictions)
    error = float((predictions.y_pred != predictions.y_true).mean())

    assert (np.diff(curve.coverage) > 0).all()
    assert (np.diff(curve.threshold) <= 0).all()
    assert curve.coverage[0] * 300 >= MIN_ROWS
    assert (1.0, round(error, 4)) == (curve.coverage[-1], curve.risk[-1])


def test_risk_of_surest_rows_is_counted():
    """Thirty of forty rows are confident and right, the others are unconfident and wrong."""
    proba = np.repeat([[0.9, 0.1], [0.6, 0.4]], [30, 10], axis=0)
    y = np.repeat([0, 1], [30, 10])
    predictions = Predictions(classes=("a", "b"), y_true=y, proba=proba, model_classes=np.arange(2))
    curve = trace_risk(predictions)
    by_coverage = dict(zip(curve.coverage, curve.risk, strict=True))

    assert (0.0, 0.25) == (by_coverage[0.75], by_coverage[1.0])
    assert curve.area == pytest.approx(sum(n / (30 + n) for n in range(1, 11)) / 40, abs=1e-6)


def test_order_of_equal_rows_means_nothing():
    """All rows have equal confidence here."""
    proba = np.repeat([[0.7, 0.3]], 100, axis=0)
    y = np.repeat([0, 1], [70, 30])
    predictions = Predictions(classes=("a", "b"), y_true=y, proba=proba, model_classes=np.arange(2))

    assert trace_risk(predictions) == trace_risk(predictions.take(np.arange(100)[::-1]))
    assert 0.3 == trace_risk(predictions).area


def test_few_rows_show_nothing():
    """There are no bins and no curve; the report is still valid JSON."""
    predictions, _ = simulate(MIN_ROWS - 1, np.random.default_rng(0))
    report = measure_reliability(predictions)

    assert trace_risk(predictions) is None
    assert () == report.bins.n_rows
    assert report.to_json() == json.loads(json.dumps(report.to_json(), allow_nan=False))
