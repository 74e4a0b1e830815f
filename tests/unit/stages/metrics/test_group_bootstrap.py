"""Groups are drawn whole, within their class; equal ones are stored once."""

import numpy as np
import pytest
from support.simulated import draw

from job.stages.metrics.group_bootstrap import leave_one_out, resample
from job.stages.metrics.group_sums import count_by_group, sum_by_group
from job.stages.metrics.label_metrics import count_columns

IDENTITY = lambda sums: np.asarray(sums)  # noqa: E731


def count(groups, y, y_pred, n=4):
    y = np.asarray(y)
    return count_by_group(np.asarray(groups), y, count_columns(y, np.asarray(y_pred), n), 3 * n)


def test_equal_groups_are_stored_once():
    """Two single rows with the same counts, and two pairs whose rows are in a different order."""
    group_sums = count([0, 1, 2, 2, 3, 3], [0, 0, 0, 0, 0, 0], [1, 1, 0, 1, 1, 0])

    assert [2, 2] == group_sums.multiplicity.tolist()
    assert 4 == group_sums.n_groups


def test_counts_are_those_of_all_rows():
    """The sums over all groups are the counts of the whole confusion matrix."""
    groups, predictions = draw(200, np.random.default_rng(0), is_uneven=True)
    group_sums = count(groups, predictions.y_true, predictions.y_pred)
    hits = predictions.y_true[predictions.y_true == predictions.y_pred]
    expected = [
        *np.bincount(predictions.y_true),
        *np.bincount(predictions.y_pred),
        *np.bincount(hits),
    ]

    assert expected == group_sums.total[0].tolist()


def test_stratum_is_the_class_of_most_rows_the_first_of_equals():
    """Groups 0 and 1 are of class 1, groups 2 and 3 of class 0."""
    group_sums = sum_by_group(
        np.array([0, 0, 0, 1, 1, 2, 2, 3]), np.array([1, 1, 0, 1, 1, 0, 1, 0]), np.ones((8, 1))
    )

    assert [1, 1, 0, 0] == group_sums.strata.tolist()


def test_class_of_one_group_joins_the_smallest_other():
    """On its own it could not vary."""
    group_sums = sum_by_group(np.arange(6), np.array([0, 0, 0, 1, 1, 2]), np.ones((6, 1)))

    assert [0, 0, 0, 1, 1, 1] == np.where(group_sums.strata > 0, 1, 0).tolist()


def test_each_class_keeps_its_groups_in_every_resample():
    """Drawn within their class, groups of equal size keep the class's rows."""
    y = np.repeat([0, 1, 2], [50, 30, 7])
    resampled = resample(count(np.arange(87), y, y), IDENTITY, 1000, np.random.default_rng(0))

    assert np.allclose(resampled[:, :4], [50, 30, 7, 0])


@pytest.mark.parametrize("is_uneven", [False, True])
def test_resamples_vary_as_the_theory_of_strata_says(is_uneven):
    """The variance of a sum is that of the groups of each class, with n - 1 in the denominator."""
    groups, predictions = draw(60, np.random.default_rng(1), is_uneven=is_uneven)
    hits = (predictions.y_true == predictions.y_pred).astype(float)
    group_sums = sum_by_group(groups, predictions.y_true, hits[:, None])
    resampled = resample(group_sums, IDENTITY, 20_000, np.random.default_rng(2))[:, 0]
    sums = np.bincount(groups, hits)
    variance = sum(
        (group_sums.strata == s).sum() * sums[group_sums.strata == s].var(ddof=1)
        for s in set(group_sums.strata)
    )

    assert np.isclose(variance, resampled.var(), rtol=0.05)
    assert np.isclose(hits.sum(), resampled.mean(), rtol=0.01)


def test_stored_once_and_one_by_one_vary_alike():
    """Whether equal groups are stored once or not, a sum has the same deviation."""
    groups, predictions = draw(3000, np.random.default_rng(1), is_uneven=False)
    hits = (predictions.y_true == predictions.y_pred).astype(float)
    one_by_one = resample(
        sum_by_group(groups, predictions.y_true, hits[:, None]),
        IDENTITY,
        4000,
        np.random.default_rng(2),
    )[:, 0]
    group_sums = count(groups, predictions.y_true, predictions.y_pred)
    stored_once = resample(group_sums, IDENTITY, 4000, np.random.default_rng(3))[:, 8:].sum(axis=1)

    assert len(group_sums.multiplicity) == 8
    assert np.isclose(one_by_one.std(), stored_once.std(), rtol=0.06)


def test_seed_decides_the_resamples():
    """The same seed, the same bytes."""
    groups, predictions = draw(100, np.random.default_rng(1), is_uneven=True)
    group_sums = count(groups, predictions.y_true, predictions.y_pred)
    first, second = (
        resample(group_sums, IDENTITY, 50, np.random.default_rng(7)).tobytes() for _ in range(2)
    )

    assert first == second


def test_leaving_one_out_keeps_the_weight_of_the_class():
    """Two of three rows are weighted up to three."""
    y = np.array([0, 0, 0, 1, 1])
    group_sums = sum_by_group(np.arange(5), y, np.array([[3.0], [6.0], [9.0], [1.0], [5.0]]))

    assert [28.5, 24.0, 19.5, 28.0, 20.0] == leave_one_out(group_sums, IDENTITY)[:, 0].tolist()
