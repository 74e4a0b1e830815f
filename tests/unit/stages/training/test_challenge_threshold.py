"""A threshold of the challenge set holds on other requests, or its absence is explained."""

import numpy as np
import pytest
from scipy.stats import beta
from support.rows import rows_of_texts
from support.simulated import bootstrap_of, predictions, simulate

from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.stages.split.challenge_halves import cut_request_folds
from job.stages.training.challenge_threshold import (
    N_FOLDS,
    count_needed_answers,
    learn_threshold,
    measure_threshold,
)

DECISION = DecisionSpec(target_precision=0.95)
EVALUATION = EvaluationSpec(resamples=1000)


def learn(simulated, n=None):
    groups = np.arange(len(simulated.y_true) if n is None else n)
    return learn_threshold(simulated, groups, DECISION, EVALUATION)


def measure(threshold, simulated, *, is_halved):
    y = np.array(simulated.classes, dtype=object)[simulated.y_true]
    rows = rows_of_texts([f"request {n}" for n in range(len(y))], y=y)
    return measure_threshold(
        threshold,
        simulated,
        bootstrap_of(simulated, rows.groups, EVALUATION),
        fold=None if is_halved else cut_request_folds(rows, N_FOLDS, "pcc"),
        decision=DECISION,
        evaluation=EVALUATION,
    )


def test_number_of_answers_follows_from_the_bound():
    """59 answers without errors show 95 % with 95 % confidence; 58 do not."""
    assert 59 == count_needed_answers(0.95, 0.95)
    for share in (0.97, 0.99):
        n = count_needed_answers(0.95, 0.95, share)
        bounds = [beta.ppf(0.05, share * k, (1 - share) * k + 1) for k in (n - 1, n)]

        assert bounds[0] < 0.95 <= bounds[1]


def test_share_below_the_target_needs_more_than_any_number():
    assert count_needed_answers(0.95, 0.95, 0.94) is None


def test_few_requests_say_how_many_it_takes():
    """The number is given without errors, and with the observed errors."""
    y = np.arange(40) % 4
    perfect = learn(predictions(y, y))
    wrong = learn(predictions(y, (y + 1) % 4))

    assert ("not_shown", "challenge") == (perfect.status, perfect.learned_on)
    assert "40 requests of the challenge set" in perfect.reason
    assert "59 answers without an error" in perfect.reason
    assert "About 59 requests are needed if 100.0% of the 100% with the highest" in perfect.reason
    assert "hardly reaches 95% at any confidence" in wrong.reason


def test_threshold_of_one_half_is_measured_on_the_other():
    """It is measured by the one threshold, on all requests of that half."""
    rng = np.random.default_rng(0)
    threshold = learn(simulate(1000, rng)[0])
    other, _ = simulate(600, rng)
    simulated = measure(threshold, other, is_halved=True)

    assert "chosen" == threshold.status
    assert 600 == simulated.n_measured_on
    assert int((other.proba.max(axis=1) >= threshold.value).sum()) == simulated.n_answered


def test_whole_set_measures_each_fold_by_a_threshold_of_the_others():
    """So no request is answered by a threshold that it helped to choose."""
    simulated, _ = simulate(1000, np.random.default_rng(0))
    threshold = learn(simulated)
    measured = measure(threshold, simulated, is_halved=False)

    assert int((simulated.proba.max(axis=1) >= threshold.value).sum()) != measured.n_answered
    assert 0 < measured.n_answered < 1000


@pytest.mark.parametrize("is_halved", [True, False])
def test_threshold_that_is_not_shown_answers_nothing(is_halved):
    y = np.arange(40) % 4
    simulated = predictions(y, (y + 1) % 4)
    measured = measure(learn(simulated), simulated, is_halved=is_halved)

    assert (40, 0, None) == (measured.n_measured_on, measured.n_answered, measured.coverage)


def test_threshold_reaches_its_target_on_fresh_requests():
    """With 400 requests it is chosen in some sets, and mostly reaches its target in these."""
    rng = np.random.default_rng(3)
    fresh, _ = simulate(50_000, rng)
    sure, is_right = fresh.proba.max(axis=1), fresh.y_pred == fresh.y_true
    chosen = [learn(simulate(400, rng)[0]).value for _ in range(100)]
    reached = [is_right[sure >= value].mean() >= 0.95 for value in chosen if value is not None]

    assert len(reached) > 20
    assert np.mean([value is None for value in chosen]) + np.sum(reached) / 100 >= 0.9
