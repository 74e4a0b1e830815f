"""The metrics that select candidates are scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics
from support.simulated import predictions

from job.contracts.metrics import METRICS
from job.stages.metrics.label_metrics import score_labels
from job.stages.metrics.search_metric import compute_score, is_label_metric

# a metric that scikit-learn does not have needs a test of its own
OF_LABELS = [
    metric
    for metric in METRICS.values()
    if is_label_metric(metric) and metric.name in metrics.get_scorer_names()
]


def drawn(n_classes=6, n=300):
    """Draw classes as numbers; no true class is 1, no predicted one is 4, and 5 does not occur."""
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, n_classes - 1, (2, n))
    y_pred = np.where(rng.random(n) < 0.6, y_true, y_pred)
    return np.where(y_true == 1, 0, y_true), np.where(y_pred == 4, 2, y_pred)


def sklearn_score(metric, y_true, y_pred):
    """Return the score that scikit-learn's scorer of this name gives to predicted classes."""
    scorer = metrics.get_scorer(metric.name)
    return scorer._score_func(y_true, y_pred, **scorer._kwargs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("metric", OF_LABELS, ids=lambda metric: metric.name)
def test_score_of_labels_is_that_of_scikit_learn(metric):
    """Also for classes that occur on one side only, or on neither."""
    y_true, y_pred = drawn()
    expected = pytest.approx(sklearn_score(metric, y_true, y_pred))

    assert expected == score_labels(metric, y_true, y_pred, 6)
    assert expected == compute_score(predictions(y_true, y_pred, 6), metric)


def test_score_of_probabilities_is_that_of_scikit_learn():
    """On the rows whose class the model knows."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 200)
    scored = predictions(y, y)
    proba = rng.dirichlet((1, 1, 1), 200)
    scored = replace(
        scored, classes=("a", "b", "c", "d"), proba=proba, model_classes=np.array([0, 2, 3])
    )
    known = y != 1
    area = metrics.roc_auc_score(y[known], proba[known], multi_class="ovr")
    loss = metrics.log_loss(y[known], proba[known])

    assert pytest.approx(area) == compute_score(scored, METRICS["roc_auc_ovr"])
    assert pytest.approx(-loss) == compute_score(scored, METRICS["neg_log_loss"])


def test_score_that_is_not_defined_is_none():
    """No ROC-AUC if all rows have one class, and no score at all if the model knows none."""
    scored = predictions(np.zeros(5, int), np.zeros(5, int))
    unknown = replace(
        scored, y_true=np.ones(5, int), model_classes=np.array([0]), proba=np.ones((5, 1))
    )

    assert compute_score(scored, METRICS["roc_auc_ovr"]) is None
    assert pytest.approx(0, abs=1e-9) == compute_score(scored, METRICS["neg_log_loss"])
    assert compute_score(unknown, METRICS["neg_log_loss"]) is None
