"""Accuracy is reported for each bin of similarity, with an interval if there are enough groups."""

import numpy as np
import pytest
from support.simulated import bootstrap_of, predictions

from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.scores_by_similarity import score_by_similarity
from job.stages.evaluation.wording_similarity import Similarity

SPEC = EvaluationSpec(resamples=1000)


def score(values, is_right, groups=None):
    values = np.asarray(values, float)
    similarity = Similarity(
        of="text",
        values=values,
        n_items=1,
        n_sampled_items=1,
        n_trained_items=1,
        n_sampled_trained_items=1,
    )
    groups = np.arange(len(values)) if groups is None else np.asarray(groups)
    y = np.arange(len(values)) % 2
    predicted = predictions(y, np.where(is_right, y, 2))
    return score_by_similarity(predicted, bootstrap_of(predicted, groups, SPEC, 1), similarity)


def test_rows_stand_in_the_bin_of_their_similarity():
    """A bin includes its lower edge; the outer bins include values beyond their edges."""
    report = score([-0.3, 0.0, 0.2, 0.39, 0.4, 0.8, 1.0], True)

    assert [2, 2, 1, 0, 2] == [similarity_bin.n_rows for similarity_bin in report.bins]


def test_bin_without_rows_has_no_accuracy():
    report = score([0.9] * 6, True)

    assert (None, None) == (report.bins[0].accuracy, report.bins[0].interval)
    assert 1.0 == report.bins[-1].accuracy


@pytest.mark.parametrize(("n_groups", "has_interval"), [(4, False), (5, True)])
def test_fewer_than_five_groups_have_no_interval(n_groups, has_interval):
    """This does not depend on their number of rows."""
    groups = np.arange(100) % n_groups
    report = score([0.9] * 100, groups > 0, groups)

    assert has_interval == (report.bins[-1].interval is not None)
    assert (100, n_groups) == (report.bins[-1].n_rows, report.bins[-1].n_groups)


def test_interval_is_over_groups_and_not_over_rows():
    """Two hundred rows in ten groups show as much as ten rows."""
    of_group = np.arange(10) % 3 > 0
    few = score([0.9] * 10, of_group).bins[-1].interval
    many = (
        score([0.9] * 200, np.repeat(of_group, 20), np.repeat(np.arange(10), 20)).bins[-1].interval
    )

    assert few.value == many.value
    assert many.upper - many.lower > 0.8 * (few.upper - few.lower)


def test_rows_that_were_not_compared_count_nowhere():
    report = score([np.nan, 0.1, 0.9], [False, True, True])

    assert 2 == report.n_rows == sum(similarity_bin.n_rows for similarity_bin in report.bins)
    assert 0.5 == report.median


def test_new_wording_is_counted_with_its_groups():
    report = score([0.1, 0.39, 0.4, 0.9], True, [3, 3, 1, 2])

    assert (2, 1) == (report.n_new_rows, report.n_new_groups)


def test_nothing_compared_is_no_report():
    assert score([np.nan, np.nan], True) is None
