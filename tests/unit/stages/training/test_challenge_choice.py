"""The challenge set alone chooses among the candidates that completed the search."""

import numpy as np
import pytest
from support.executors import InTurn
from support.matrices import IN_MEMORY
from support.rows import rows_of_embeddings

from job.contracts.metrics import METRICS
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.training.challenge_choice import choose_on_challenge

SPEC = TrainingSpec(
    search=SearchSpec(metric=METRICS["accuracy"]),
    features=FeatureSpec(),
    columns=ColumnsSpec(),
    random_state=0,
)


def candidate(estimator="logistic_regression", value=10.0, mean=0.9, ended=None):
    name = "strategy" if estimator == "dummy" else "C"
    return CandidateScore(
        estimator=estimator,
        parameters=((name, value),),
        feature_blocks=("embeddings",),
        fold_scores=(mean,),
        ended=ended,
    )


@pytest.fixture(scope="module")
def train():
    """Two classes that the first number separates."""
    return make_rows(120, 0)


def make_rows(n_rows, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n_rows)
    X = rng.standard_normal((n_rows, 6)) + 4 * np.eye(2, 6)[y]
    return rows_of_embeddings(X, y=np.array(["a", "b"])[y])


def choose(train, requests, *candidates):
    """Choose if the table has chosen the first candidate."""
    report = SearchReport(
        metric="accuracy", candidates=candidates, chosen=candidates[0], baselines=()
    )
    executor = InTurn()
    feature_matrices = FeatureMatrices(train, SPEC.features, SPEC.columns, IN_MEMORY, executor)
    return choose_on_challenge(
        report, requests, train, feature_matrices, spec=SPEC, executor=executor
    )


def test_candidate_that_is_best_on_the_requests_is_chosen(train):
    """The folds of the table, on which the dummy is best here, have no influence."""
    dummy = candidate("dummy", "prior", mean=0.99)
    report = choose(train, make_rows(60, 1), dummy, candidate(mean=0.5))

    assert ("logistic_regression", "challenge") == (report.chosen.estimator, report.chosen_on)
    assert report.chosen in report.candidates
    assert report.candidates[0].challenge_score < 0.7 < report.candidates[1].challenge_score


def test_equals_are_ordered_by_the_table(train):
    """Both are right on every request; the table's choice is kept, whatever their means."""
    report = choose(train, make_rows(20, 1), candidate(value=10.0, mean=0.8), candidate(value=20.0))

    assert {1.0} == {c.challenge_score for c in report.candidates}
    assert (("C", 10.0),) == report.chosen.parameters


def test_candidate_that_did_not_end_the_search_is_not_asked(train):
    """It has no score, and cannot be chosen."""
    halved = candidate(mean=0.7, ended="halved")
    report = choose(train, make_rows(20, 1), candidate("dummy", "prior"), halved)

    assert (None, "dummy") == (report.candidates[1].challenge_score, report.chosen.estimator)


def test_baselines_have_the_input_of_the_chosen_one(train):
    report = choose(train, make_rows(20, 1), candidate("dummy", "prior"), candidate())

    assert ["logistic_regression", "dummy"] == [c.estimator for c in report.baselines]
    assert {report.chosen.feature_blocks} == {c.feature_blocks for c in report.baselines}


def test_order_of_candidates_does_not_matter(train):
    """Their fits do not affect each other either."""
    candidates = [candidate("dummy", "prior"), candidate(value=0.001), candidate(value=10.0)]
    requests = make_rows(60, 1)
    forth, back = choose(train, requests, *candidates), choose(train, requests, *candidates[::-1])

    assert forth.chosen == back.chosen
    assert list(forth.candidates) == list(back.candidates)[::-1]
