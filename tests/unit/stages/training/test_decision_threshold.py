"""A threshold reaches its target on rows that it was not chosen on."""

import numpy as np
import pytest
from support.simulated import bootstrap_of, predictions, simulate

from job.contracts.reports.decision_threshold import Threshold
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.stages.training.decision_threshold import (
    choose_threshold,
    choose_thresholds_by_fold,
    measure_abstention,
)

SPEC = EvaluationSpec(resamples=1000)
N_DRAWS = 100


def choose(simulated, groups, target=0.95):
    return choose_threshold(simulated, groups, DecisionSpec(target_precision=target), SPEC)


def set_at(value, status="chosen"):
    return Threshold(
        target_precision=0.95, value=value, status=status, reason="", n_rows=1, n_groups=1
    )


@pytest.mark.parametrize("is_grouped", [False, True])
def test_threshold_reaches_its_target_on_fresh_rows(is_grouped):
    """This holds in at least 90 % of draws, with dependent rows or not; most draws choose one."""
    rng = np.random.default_rng([7, is_grouped])
    fresh, _ = simulate(100_000, rng, is_grouped=is_grouped)
    sure, is_right = fresh.proba.max(axis=1), fresh.y_pred == fresh.y_true
    chosen = [choose(*simulate(2000, rng, is_grouped=is_grouped)).value for _ in range(N_DRAWS)]
    reached = [v is None or is_right[sure >= v].mean() >= 0.95 for v in chosen]

    assert np.mean(reached) >= 0.9
    assert sum(v is not None for v in chosen) > 0.8 * N_DRAWS


def test_higher_target_answers_less():
    """The threshold increases with the target."""
    simulated, groups = simulate(5000, np.random.default_rng(0))
    chosen = [choose(simulated, groups, target).value for target in (0.9, 0.95, 0.97, 0.98)]

    assert chosen == sorted(chosen)
    assert chosen[0] < chosen[-1]


def test_model_that_is_always_right_needs_none():
    """This needs enough rows of every class to be shown; a threshold of 0 is never chosen."""
    y = np.repeat([0, 1], 100)
    chosen = choose(predictions(y, y, 2), np.arange(200))

    assert ("not_needed", None) == (chosen.status, chosen.value)


def test_class_of_few_groups_does_not_make_a_threshold_needless():
    """All answers reach the target, but it is not shown for answers of the rare class."""
    y = np.array([0] * 400 + [1] * 5)
    simulated = predictions(y, y, 2)
    simulated.proba[:400] = [0.9, 0.1]
    simulated.proba[0] = [0.6, 0.4]
    chosen = choose(simulated, np.arange(405))

    assert ("chosen", True) == (chosen.status, chosen.value > 0)


def test_templates_show_nothing():
    """Groups from one generator are not independent evidence, however many there are."""
    y = np.repeat([0, 1], 1000)
    simulated, groups = predictions(y, y, 2), np.arange(2000)
    spec = DecisionSpec(target_precision=0.95)
    chosen = choose_threshold(simulated, groups, spec, SPEC, is_templated=True)

    assert ("templates", None) == (chosen.status, chosen.value)


def test_reason_says_how_many_groups_it_takes():
    """0.95 ** 59 is the first power below 0.05."""
    y = np.repeat([0, 1], 2000)
    chosen = choose(predictions(y, y, 2), np.arange(4000) % 40)

    assert ("not_shown", True) == (chosen.status, "at least 59" in chosen.reason)


def test_threshold_of_a_fold_comes_from_the_other_folds():
    """A fold of confident wrong answers does not change its own threshold."""
    simulated, groups = simulate(4000, np.random.default_rng(1))
    fold = np.arange(4000) % 4
    spec = DecisionSpec(target_precision=0.95)
    before = choose_thresholds_by_fold(simulated, groups, fold, spec, SPEC)
    simulated.proba[fold == 0] = simulated.proba[fold == 0][:, ::-1]
    after = choose_thresholds_by_fold(simulated, groups, fold, spec, SPEC)

    assert before[fold == 0].tolist() == after[fold == 0].tolist()
    assert before[fold == 1].tolist() != after[fold == 1].tolist()


def test_needless_threshold_answers_everything():
    """The measured precision is that of all answers."""
    y = np.repeat([0, 1], 100)
    report = measure_abstention(
        predictions(y, y, 2),
        bootstrap_of(predictions(y, y, 2), np.arange(200), SPEC, 0),
        set_at(None, "not_needed"),
    )

    assert (200, 1.0, 1.0) == (report.n_answered, report.coverage.value, report.precision.value)


def test_few_groups_show_nothing():
    """Forty groups without an error leave 7 % possible, however many rows they have."""
    y = np.repeat([0, 1], 2000)

    assert choose(predictions(y, y, 2), np.arange(4000) % 40).value is None


def test_target_out_of_reach_has_no_threshold():
    """A coin is not right in 95 % of its answers, whatever its confidence."""
    y = np.random.default_rng(0).integers(0, 2, 1000)

    assert choose(predictions(y, np.zeros(1000, int), 2), np.arange(1000)).value is None


def test_hold_out_is_counted_at_and_above_the_threshold():
    """Equality counts as answered; an unknown class is a wrong answer."""
    simulated = predictions([0, 1, 0, 1], [0, 1, 1, 1], 2)
    simulated.proba[3] = [0.4, 0.6]
    report = measure_abstention(
        simulated, bootstrap_of(simulated, np.arange(4), SPEC, 0), set_at(0.6)
    ).to_json()
    higher = measure_abstention(
        simulated, bootstrap_of(simulated, np.arange(4), SPEC, 0), set_at(0.61)
    ).to_json()

    assert (4, 1.0, 0.75) == (
        report["n_answered"],
        report["coverage"]["value"],
        report["precision"]["value"],
    )
    assert (3, 0.75) == (higher["n_answered"], higher["coverage"]["value"])
    assert higher["precision"]["value"] == pytest.approx(2 / 3, abs=1e-6)


def test_without_answers_there_is_no_precision():
    """The precision of no answers is undefined."""
    simulated, groups = simulate(100, np.random.default_rng(0))
    report = measure_abstention(simulated, bootstrap_of(simulated, groups, SPEC, 0), set_at(1.0))

    assert (0, None) == (report.n_answered, report.precision)


def test_without_a_threshold_nothing_is_measured():
    """The target is still reported."""
    simulated, groups = simulate(100, np.random.default_rng(0))
    content = measure_abstention(
        simulated, bootstrap_of(simulated, groups, SPEC, 0), set_at(None, "not_shown")
    ).to_json()

    assert (0.95, None, None) == (
        content["target_precision"],
        content["threshold"],
        content["precision"],
    )


def test_interval_of_precision_holds_the_truth():
    """Coverage over simulated hold-outs is 91 to 99 % (nominal 95 %), for a fixed threshold."""
    rng = np.random.default_rng(5)
    fresh, _ = simulate(200_000, rng, is_grouped=True)
    is_answered = fresh.proba.max(axis=1) >= 0.7
    truth = {
        "coverage": is_answered.mean(),
        "precision": (fresh.y_pred == fresh.y_true)[is_answered].mean(),
    }
    covered = dict.fromkeys(truth, 0)
    for _ in range(200):
        simulated, groups = simulate(500, rng, is_grouped=True)
        report = measure_abstention(
            simulated, bootstrap_of(simulated, groups, SPEC, 0), set_at(0.7)
        )
        for name, value in truth.items():
            interval = getattr(report, name)
            covered[name] += interval.lower <= value <= interval.upper

    assert all(0.91 <= n / 200 <= 0.99 for n in covered.values()), covered
