"""Two models on the same rows: the gate's guarantees hold in simulations."""

import numpy as np
import pytest
from support.simulated import predictions

from job.contracts.metrics import METRICS
from job.contracts.settings.gate import PairedSpec
from job.stages.gate.paired_bootstrap import compare_pair
from scripts.simulate_gate import ACCURACY, accepts, decided, first_model, next_model

N = 200
ALPHA = 0.05
TWO_ERRORS = 2 * np.sqrt(ALPHA * (1 - ALPHA) / N)


def simulate(n_rows, discordant, drop, *, seed=11, n=N):
    rng = np.random.default_rng([seed, n_rows])
    for _ in range(n):
        before = first_model(n_rows, rng)
        yield decided(before, next_model(before, discordant, drop, rng))


def share(decisions):
    return np.mean(list(decisions))


def compare(y, old, new, *, metric=METRICS["accuracy"], n_classes=4, groups=None):
    spec = PairedSpec(metric=metric, alpha=ALPHA, resamples=1000, random_state=0)
    pair = predictions(y, old, n_classes), predictions(y, new, n_classes)
    return compare_pair(*pair, np.arange(len(y)) if groups is None else groups, spec)


def test_superiority_promotes_an_equal_at_most_alpha_of_the_time():
    """This is an A/A test: every promotion is a false one."""
    differences = simulate(1000, 0.08, 0.0)

    assert (
        share(accepts(difference, rule="superiority") for difference in differences)
        <= ALPHA + TWO_ERRORS
    )


@pytest.mark.parametrize(("margin", "discordant"), [(0.01, 0.04), (0.02, 0.04), (0.03, 0.08)])
def test_non_inferiority_accepts_a_drop_of_the_margin_at_most_alpha_of_the_time(margin, discordant):
    """This is the smallest drop that must not pass."""
    differences = simulate(1000, discordant, margin)

    assert (
        share(
            accepts(difference, margin=margin, inconclusive="reject") for difference in differences
        )
        <= ALPHA + TWO_ERRORS
    )


def test_equal_model_is_accepted_by_the_defaults_at_2000_rows():
    """The defaults were chosen for this power."""
    assert (
        share(
            accepts(difference, inconclusive="reject") for difference in simulate(2000, 0.04, 0.0)
        )
        >= 0.95
    )


def test_champion_that_is_3_points_better_stays():
    """On 10,000 rows, this holds in at least 99 % of 200 simulations."""
    assert (
        share(
            not accepts(difference, inconclusive="reject")
            for difference in simulate(10_000, 0.08, 0.03)
        )
        >= 0.99
    )


def test_no_class_is_taken_for_fallen_in_more_than_alpha_of_equal_models():
    """With 77 classes of 26 rows, the bounds hold for all classes at once."""
    rng = np.random.default_rng(1)
    y, n_false = np.repeat(np.arange(77), 26), 0
    for _ in range(N):
        models = [np.where(rng.random(len(y)) < ACCURACY, y, (y + 1) % 77) for _ in range(2)]
        changes = compare(y, *models, n_classes=77).recalls
        n_false += any(change.difference.upper < 0 for change in changes.values())

    assert n_false / N <= ALPHA + TWO_ERRORS


def test_class_that_is_lost_is_seen_among_77():
    """Half of the 26 rows of one class are lost."""
    y = np.repeat(np.arange(77), 26)
    new = y.copy()
    new[:13] = 1
    fallen = [
        name
        for name, c in compare(y, y, new, n_classes=77).recalls.items()
        if c.difference.upper < 0
    ]

    assert ["c00"] == fallen


def test_difference_is_candidate_less_champion():
    """The sign shows which model is better."""
    y = np.arange(200) % 4
    worse = np.where(np.arange(200) < 20, (y + 1) % 4, y)
    difference = compare(y, y, worse)

    assert (1.0, 0.9) == (difference.champion_score, difference.candidate_score)
    assert -0.1 == pytest.approx(difference.interval.value)
    assert difference.interval.lower < -0.1 < difference.interval.upper < 0


def test_equal_predictions_are_not_sure_to_be_equal():
    """No difference in 40 rows leaves a difference in 7 % of the rows possible."""
    y = np.arange(40) % 4
    interval = compare(y, y, y).interval

    assert (True, pytest.approx(-(1 - 0.05 ** (1 / 40)))) == (interval.is_by_count, interval.lower)


def test_rows_of_one_group_count_as_one():
    """A hundred rows that change together show less than a hundred that change independently."""
    y = np.zeros(1000, int)
    y[500:] = 1
    worse = np.where(np.arange(1000) % 500 < 50, 1 - y, y)
    alone = compare(y, y, worse, n_classes=2).interval
    together = compare(y, y, worse, n_classes=2, groups=np.arange(1000) // 50).interval

    assert together.lower < alone.lower
    assert together.upper > alone.upper


@pytest.mark.parametrize("metric", [METRICS["neg_log_loss"], METRICS["roc_auc_ovr"]])
def test_scores_of_probabilities_have_intervals_too(metric):
    """The better model is shown to be better."""
    y = np.arange(400) % 4
    worse = np.where(np.arange(400) % 7 == 0, (y + 1) % 4, y)
    difference = compare(y, worse, y, metric=metric)

    assert 0 < difference.interval.lower < difference.interval.value < difference.interval.upper


def test_metric_that_is_undefined_has_no_interval():
    """ROC-AUC is undefined for a single class."""
    assert (
        compare(
            np.zeros(50, int), np.zeros(50, int), np.zeros(50, int), metric=METRICS["roc_auc_ovr"]
        ).interval
        is None
    )
