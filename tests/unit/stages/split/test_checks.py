"""A split that leaves too few rows of a class is an error."""

import numpy as np
import pytest
from support.rows import rows_of_texts

from job.errors import TrainingError
from job.stages.split.checks import check_training


def train_of(*labels):
    return rows_of_texts([f"text {chr(97 + n)}" for n in range(len(labels))], y=list(labels))


def test_classes_with_a_group_for_each_fold_pass():
    """Each text is a group of its own."""
    check_training(train_of(*"aabb"), ("a", "b"), 2)


def test_class_with_fewer_groups_than_folds_is_named():
    """Near-duplicates count once."""
    train = train_of(*"aabb").with_groups(np.array([0, 1, 2, 2]))

    with pytest.raises(TrainingError, match=r"too few groups .* class 'b'"):
        check_training(train, (), 2)


def test_expected_class_without_training_rows_is_named():
    """The model could never predict it."""
    with pytest.raises(TrainingError, match="class 'c'"):
        check_training(train_of(*"aabb"), ("a", "b", "c"), 2)


@pytest.mark.parametrize(
    ("labels", "remedy"), [("aaabb", "or use --set search.folds=2"), ("aaab", ""), ("aaac", "")]
)
def test_fewer_folds_are_advised_only_if_they_help(labels, remedy):
    """A search needs two folds; the hint names as many as the smallest class has groups."""
    with pytest.raises(TrainingError) as caught:
        check_training(train_of(*labels), ("a", "b"), 3)

    assert remedy in caught.value.hint
    assert bool(remedy) == ("--set" in caught.value.hint)


def test_single_class_is_an_error():
    """There is nothing to learn."""
    with pytest.raises(TrainingError, match="fewer than 2 classes"):
        check_training(train_of(*"aa"), (), 2)
