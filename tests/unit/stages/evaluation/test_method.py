"""Tables of few groups are evaluated by cross-fitted predictions."""

from types import SimpleNamespace

import numpy as np
import pytest

from job.contracts.settings.evaluation import EvaluationSpec
from job.errors import TrainingError
from job.stages.evaluation.method import choose_method
from job.stages.metrics.group_sums import effective_groups


def split_of(groups, y, method="hash"):
    test = SimpleNamespace(y=np.array(y, object), groups=np.array(groups))
    return SimpleNamespace(test=test, report=SimpleNamespace(method=method))


def method_of(split, n_folds=5, **spec):
    return choose_method(split, EvaluationSpec(**spec), n_folds)


def test_groups_of_equal_size_count_as_they_are():
    """All rows in one group count as one group."""
    assert 50 == effective_groups(np.repeat(np.arange(50), 3))
    assert 1 == effective_groups(np.zeros(9))
    assert effective_groups(np.repeat([0, 1, 2], [98, 1, 1])) == pytest.approx(1.04, abs=0.01)


def test_table_of_many_groups_keeps_its_hold_out():
    """A hold-out is cheaper, and shows as much."""
    assert "holdout" == method_of(split_of(range(400), ["a", "b"] * 200))


def test_table_of_few_groups_is_cross_fitted():
    """This also holds if it has many rows."""
    assert "cross_fit" == method_of(split_of(np.arange(9000) % 149, ["a", "b"] * 4500))


def test_class_of_few_groups_is_enough_to_cross_fit():
    """Few means fewer than 150 divided by the number of classes."""
    y = ["a"] * 400 + ["b"] * 74

    assert "cross_fit" == method_of(split_of(range(474), y))
    assert "holdout" == method_of(split_of(range(475), [*y, "b"]))


def test_official_test_is_never_replaced():
    """Its author has chosen the test rows."""
    few = split_of(range(10), ["a", "b"] * 5, method="official_test")

    assert "official_test" == method_of(few, method="cross_fit")


def test_settings_have_the_last_word():
    """They can force either method."""
    few, many = split_of(range(10), ["a", "b"] * 5), split_of(range(400), ["a", "b"] * 200)

    assert "holdout" == method_of(few, method="holdout")
    assert "cross_fit" == method_of(many, method="cross_fit")


def test_class_of_two_groups_keeps_the_hold_out():
    """It cannot be cut into three folds."""
    assert "holdout" == method_of(split_of(range(10), ["a", "b"] * 5), n_folds=2)


def test_cross_fit_that_cannot_be_had_is_an_error():
    """This holds if the settings require it; `auto` keeps the hold-out."""
    few = split_of(range(10), ["a", "b"] * 5)

    assert "holdout" == method_of(few, n_folds=None)
    with pytest.raises(TrainingError, match="cannot be split into folds"):
        method_of(few, n_folds=None, method="cross_fit")
