"""Scores agree with scikit-learn's, and latency with the timer."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.model import TrainedModel
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.contracts.settings.job_settings import ScoringSpec
from job.stages.evaluation.evaluate import evaluate, evaluate_model, measure_latency, score_model
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.metrics.predictions import predict

TWO = (
    ["a", "a", "a", "b", "b", "a", "b", "b"],
    [[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.55, 0.45], [0.7, 0.3], [0.1, 0.9], [0, 1]],
)
THREE = (
    ["a", "b", "c", "a", "b", "c", "c"],
    [
        [0.7, 0.2, 0.1],
        [0.2, 0.5, 0.3],
        [0.1, 0.2, 0.7],
        [0.3, 0.4, 0.3],
        [0.1, 0.8, 0.1],
        [0.5, 0.1, 0.4],
        [0.2, 0.2, 0.6],
    ],
)
EXAMPLES = pytest.mark.parametrize(("y", "proba"), [TWO, THREE], ids=["binary", "multiclass"])


class Fixed:
    """A model that returns its input X as probabilities."""

    def __init__(self, classes):
        self.classes_ = np.array(list(classes))

    def predict_proba(self, X):
        return np.asarray(X)


def make_rows(y, proba):
    none = np.array([str(n) for n in range(len(y))], dtype=object)
    return Rows(
        y=np.array(y, dtype=object),
        leakage_keys=none,
        text_keys=none,
        text=None,
        embeddings=MatrixRows(np.array(proba), np.arange(len(proba))),
        frame=pd.DataFrame(index=range(len(y))),
    )


def judge(y, proba, classes=None):
    classes = classes or sorted(set(y))
    return evaluate_model(Fixed(classes), make_rows(y, proba), ("embeddings",))


def predicted(y, proba):
    return np.array(sorted(set(y)))[np.argmax(proba, axis=1)]


@EXAMPLES
def test_scores_of_labels_are_those_of_scikit_learn(y, proba):
    """This covers accuracy, and each average of precision, recall and F1."""
    y_pred = predicted(y, proba)
    expected = {
        "accuracy": metrics.accuracy_score(y, y_pred),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, y_pred),
    }
    for average in ("macro", "weighted"):
        expected |= {
            f"precision_{average}": metrics.precision_score(y, y_pred, average=average),
            f"recall_{average}": metrics.recall_score(y, y_pred, average=average),
            f"f1_{average}": metrics.f1_score(y, y_pred, average=average),
        }
    scores = judge(y, proba).scores

    assert pytest.approx(expected, abs=1e-6) == {name: scores[name] for name in expected}


@EXAMPLES
def test_log_loss_is_that_of_scikit_learn(y, proba):
    """The negative log loss is the metric to choose by."""
    loss = metrics.log_loss(y, proba)
    scores = judge(y, proba).scores

    assert pytest.approx((loss, -loss), abs=1e-6) == (scores["log_loss"], scores["neg_log_loss"])


def test_roc_auc_of_two_classes_is_that_of_scikit_learn():
    """Either class against the other gives the same area."""
    y, proba = TWO
    expected = metrics.roc_auc_score(y, np.array(proba)[:, 1])

    assert pytest.approx(expected, abs=1e-6) == judge(y, proba).scores["roc_auc_ovr"]


def test_roc_auc_of_many_classes_is_that_of_scikit_learn():
    """One-vs-rest areas are averaged with equal weight per class."""
    y, proba = THREE
    expected = metrics.roc_auc_score(y, proba, multi_class="ovr")

    assert pytest.approx(expected, abs=1e-6) == judge(y, proba).scores["roc_auc_ovr"]


@EXAMPLES
def test_confusion_is_that_of_scikit_learn(y, proba):
    """Rows of the matrix are true classes."""
    expected = metrics.confusion_matrix(y, predicted(y, proba)).tolist()

    assert expected == [list(row) for row in judge(y, proba).confusion]


@EXAMPLES
def test_recall_of_each_class_is_that_of_scikit_learn(y, proba):
    """Classes are named, in sorted order."""
    recall = metrics.recall_score(y, predicted(y, proba), average=None)
    per_class = judge(y, proba).per_class

    assert dict(zip(sorted(set(y)), recall, strict=True)) == {
        name: values.recall for name, values in per_class.items()
    }


@EXAMPLES
def test_evaluation_is_json(y, proba):
    """It contains no NumPy numbers."""
    evaluation = judge(y, proba)

    assert evaluation.to_json() == json.loads(json.dumps(evaluation.to_json(), allow_nan=False))


def test_test_only_class_counts_as_an_error_in_scores_of_labels():
    """The model cannot predict this class, so these rows are wrong."""
    y, proba = TWO
    alone = judge(y, proba).scores["accuracy"]
    scores = judge([*y, "new", "new"], [*proba, [0.5, 0.5], [1, 0]], ["a", "b"]).scores

    assert pytest.approx(alone * 0.8) == scores["accuracy"]


@pytest.mark.parametrize("name", ["log_loss", "neg_log_loss", "roc_auc_ovr", "pr_auc_ovr"])
def test_test_only_class_stays_out_of_scores_of_probabilities(name):
    """The model has no probability for it."""
    y, proba = TWO
    scores = judge([*y, "new", "new"], [*proba, [0.5, 0.5], [1, 0]], ["a", "b"]).scores

    assert judge(y, proba).scores[name] == scores[name]


def test_test_only_class_has_a_recall_of_zero():
    """It is one of the classes in the report."""
    y, proba = TWO
    scores = judge([*y, "new"], [*proba, [1, 0]], ["a", "b"]).per_class["new"]

    assert {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n_test": 1} == scores.to_json()


def test_test_of_unknown_classes_alone_has_no_score_of_probabilities():
    """No rows remain to compute one."""
    scores = judge(["new", "newer"], [[1, 0], [0, 1]], ["a", "b"]).scores

    assert (0.0, False) == (scores["accuracy"], "log_loss" in scores)


def test_class_without_test_rows_has_no_curve():
    """Its area is undefined, and does not affect the mean of the others."""
    y, proba = THREE
    is_other = np.array(y) != "c"
    evaluation = judge(np.array(y)[is_other], np.array(proba)[is_other], ["a", "b", "c"])

    assert ["a", "b"] == sorted(evaluation.curves)


def test_class_without_test_rows_stays_out_of_balanced_accuracy():
    """Its recall is undefined, as in scikit-learn."""
    y, proba = ["a", "b", "b"], [[1, 0, 0], [0, 1, 0], [1, 0, 0]]

    assert 0.75 == judge(y, proba, ["a", "b", "c"]).scores["balanced_accuracy"]


def test_scores_alone_are_those_of_the_evaluation():
    """The baselines are scored by the same function."""
    rows = make_rows(*THREE)

    assert judge(*THREE).scores == score_model(Fixed("abc"), rows, ("embeddings",))


class Ticks:
    """A timer with which the n-th prediction takes n milliseconds."""

    def __init__(self):
        self.n_calls, self.now = 0, 0.0

    def __call__(self):
        self.n_calls += 1
        if self.n_calls % 2 == 0:
            self.now += self.n_calls / 2 / 1000
        return self.now


def test_blocks_of_rows_are_judged_as_one(monkeypatch):
    """The position of block edges has no effect."""
    whole = judge(*THREE)
    monkeypatch.setattr("job.stages.metrics.predictions._BLOCK", 3)

    assert whole == judge(*THREE)


def test_latency_is_exact_by_the_timer():
    """Without two warm-up predictions it is 3 to 23 ms, so the median is 13 and p95 is 22."""
    latency = measure_latency(Fixed("ab"), np.ones((21, 2)), Ticks())

    assert pytest.approx({"p50_ms": 13.0, "p95_ms": 22.0}) == latency.to_json()


def test_latency_is_that_of_one_row_at_a_time():
    """A consumer sends one request at a time."""
    sizes = []

    class Watched(Fixed):
        def predict_proba(self, X):
            sizes.append(len(X))
            return super().predict_proba(X)

    measure_latency(Watched("ab"), ["text", "text", "text"], Ticks())

    assert {1} == set(sizes)


@pytest.mark.parametrize(("n_rows", "n_timed"), [(1, 1), (7, 7), (50, 50), (51, 50)])
def test_latency_is_measured_on_fifty_rows_at_most(n_rows, n_timed):
    """Each prediction reads the timer twice; two more predictions warm up."""
    timer = Ticks()
    measure_latency(Fixed("ab"), np.ones((n_rows, 2)), timer)

    assert 2 * (n_timed + 2) == timer.n_calls


def test_evaluation_holds_baselines_and_latency_beside_the_scores():
    """A reader needs these values to interpret the scores."""
    rows = make_rows(*TWO)
    model = TrainedModel(
        estimator="chosen",
        parameters=(),
        feature_blocks=("embeddings",),
        pipeline=Fixed("ab"),
        baselines=(("dummy", Fixed("ab")),),
    )
    spec = ScoringSpec(
        evaluation=EvaluationSpec(resamples=1000),
        decision=DecisionSpec(),
        metric="f1_macro",
        random_state=0,
    )
    predicted = predict(model.pipeline, rows, model.feature_blocks)
    evaluated = EvaluatedRows.of(rows, predicted, spec)
    evaluation = evaluate(evaluated, model, Ticks(), spec=spec)

    assert ({"dummy": evaluation.scores}, {"p50_ms", "p95_ms"}) == (
        evaluation.baselines,
        set(dict(evaluation.latency)),
    )
