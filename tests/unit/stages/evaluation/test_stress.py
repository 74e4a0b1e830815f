"""Batches of another class mix are drawn, restandardized and predicted with bounded work."""

import numpy as np
import pytest
from support.rows import rows_of_embeddings

from job.contracts.matrix_rows import MatrixRows
from job.contracts.model import TrainedModel
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation import stress_batches
from job.stages.evaluation.stress import measure_stress
from job.stages.evaluation.stress_batches import SHARE, Columns, draw_batch


class BySign:
    """A model that predicts class `a` if the first column is below zero."""

    def __init__(self, *more):
        self.classes_ = np.array(["a", "b", *more], dtype=object)
        self.n_predicted = 0

    def predict_proba(self, X):
        self.n_predicted += len(X)
        proba = np.zeros((len(X), len(self.classes_)))
        proba[np.arange(len(X)), (X[:, 0] > 0).astype(int)] = 1
        return proba


def make_rows(n=300, *, n_groups=60, seed=0, names=("a", "b")):
    """Return columns of mean 0 and deviation 1; the first one is the class."""
    y = np.array(names, dtype=object)[np.arange(n) % len(names)]
    X = np.random.default_rng(seed).standard_normal((n, 4))
    X[:, 0] = np.where(y == "a", -1, 1) + 0.35 * X[:, 0]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return rows_of_embeddings(X, y=y, near_duplicate_groups=np.arange(n) % n_groups)


def measure(rows, pipeline=None, seed=0):
    model = TrainedModel(
        estimator="x",
        parameters=(),
        feature_blocks=("embeddings",),
        pipeline=pipeline or BySign(),
        baselines=(),
    )
    return measure_stress(
        model,
        rows,
        Columns.of(rows.embeddings),
        stated_by="check",
        is_restored=False,
        spec=EvaluationSpec(resamples=1000),
        random_state=seed,
    )


def test_model_that_is_right_as_given_is_wrong_once_the_mean_moves():
    """A batch's mean is close to its main class's mean, which is then moved to zero."""
    report = measure(make_rows())

    assert report.accuracy_as_given > 0.98
    assert 0.6 < report.accuracy < 0.9
    assert report.worst.accuracy == min(score.accuracy for score in report.classes)
    assert report.interval.lower <= report.accuracy <= report.interval.upper
    assert ["a", "b"] == [score.name for score in report.classes]


def test_batch_has_the_means_and_deviations_of_the_table():
    """This holds for each column, whatever its values were; the rows keep their order."""
    table = np.random.default_rng(0).normal(3, 0.7, (500, 5)).astype(np.float32)
    batch = np.random.default_rng(1).gamma(2, 5, (60, 5)).astype(np.float32)
    columns = Columns.of(MatrixRows(table, np.arange(500)))
    standardized = columns.standardize(batch)

    assert np.allclose(table.mean(axis=0), standardized.mean(axis=0), atol=1e-5)
    assert np.allclose(table.std(axis=0), standardized.std(axis=0), atol=1e-5)
    assert (np.argsort(batch, axis=0) == np.argsort(standardized, axis=0)).all()


def test_column_that_does_not_vary_in_the_batch_gets_the_mean_of_the_table():
    """There is no division by zero, or by the rounding error of a mean."""
    columns = Columns(mean=np.array([2.0]), deviation=np.array([0.7]))

    assert ([[2.0]] * 50) == columns.standardize(np.full((50, 1), 0.1, np.float32)).tolist()


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_batch_is_mostly_of_one_class_and_evenly_of_the_others(name):
    class_rows = {"a": np.arange(200), "b": np.arange(200, 400), "c": np.arange(400, 402)}
    class_rows[name] = np.arange(1000, 1200)
    index = draw_batch(class_rows, name, 200, np.random.default_rng(0))
    counts = {
        other: int(np.isin(index, class_index).sum()) for other, class_index in class_rows.items()
    }

    assert round(SHARE * 200) == counts.pop(name)
    assert [15, 15] == list(counts.values())
    assert len(np.unique(index[:170])) == 170


def test_rest_that_cannot_be_shared_evenly_is_drawn_all_the_same():
    """One class gets one row more."""
    class_rows = {name: np.arange(n, n + 200) for name, n in (("a", 0), ("b", 200), ("c", 400))}
    index = draw_batch(class_rows, "a", 205, np.random.default_rng(0))

    assert [15, 16, 174] == sorted(np.bincount(index // 200).tolist())


@pytest.mark.parametrize(
    ("n", "n_batch_rows"), [(84, None), (86, 50), (200, 117), (340, 200), (900, 200)]
)
def test_batch_is_as_large_as_the_smallest_class_allows(n, n_batch_rows):
    """A batch has at most 200 rows, and at least 50."""
    report = measure(make_rows(n))

    assert n_batch_rows == (report and report.n_batch_rows)


def test_small_class_has_no_batches_of_its_own():
    """Its rows are part of the rest in the batches of other classes."""
    rows = make_rows(400)
    rows.y[:8] = "c"
    report = measure(rows, BySign("c"))

    assert (["a", "b"], 1) == ([score.name for score in report.classes], report.n_classes_left_out)


def test_class_that_the_model_does_not_know_is_in_no_batch():
    """Its rows are errors before and after restandardizing."""
    rows = make_rows(400)
    rows.y[:100] = "unknown"
    report = measure(rows)

    assert report.accuracy_as_given > 0.98
    assert 0 == report.n_classes_left_out


def test_one_class_makes_no_mix():
    assert measure(make_rows(names=("a",))) is None


def test_same_seed_draws_the_same_batches():
    rows = make_rows()

    assert measure(rows) == measure(rows)
    assert measure(rows) != measure(rows, seed=1)


@pytest.mark.parametrize("n_most", [1000, 300])
def test_work_is_bounded_by_fewer_draws_and_then_by_fewer_classes(monkeypatch, n_most):
    """In addition, rows are predicted once in their original form."""
    monkeypatch.setattr(stress_batches, "MAX_PREDICTED", n_most)
    rows, model = make_rows(), BySign()
    report = measure(rows, model)

    assert n_most - report.n_batch_rows * 2 < model.n_predicted - len(rows) <= n_most
    assert report.n_classes_left_out == (n_most == 300)


def test_few_groups_have_no_interval():
    assert measure(make_rows(n_groups=4)).interval is None
