"""Floors, ceilings and the champion: what is accepted, and what is said of the rest."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.contracts.specs import FloorsSpec, GateSpec
from job.stages.gate import ChampionComparison, decide

OFF = {"accuracy": None, "precision_macro": None, "recall_macro": None, "f1_macro": None}
FLOORS = {"accuracy": 0.85, "precision_macro": 0.8, "recall_macro": 0.8, "f1_macro": 0.8}
GOOD = dict.fromkeys(FLOORS, 1.0)


def judge(scores=GOOD, *, p95_ms=1.0, n_model_bytes=1, comparison=None, **spec):
    latency = {"p50_ms": 0.0, "p95_ms": p95_ms}
    return decide(scores, latency, n_model_bytes, comparison, GateSpec(**spec))


def beside(champion, candidate, problem=""):
    return ChampionComparison(
        version="v1",
        n_rows=40,
        champion_score=champion,
        candidate_score=candidate,
        problem=problem,
    )


def reason(decision, name):
    return next(c.reason for c in decision.criteria if c.name == name)


@pytest.mark.parametrize("name", FLOORS)
def test_score_equal_to_its_floor_is_accepted(name):
    """The floor itself is good enough."""
    assert judge(GOOD | {name: FLOORS[name]}).is_accepted


@pytest.mark.parametrize("name", FLOORS)
def test_score_below_its_floor_is_rejected(name):
    """One criterion that is not met is enough."""
    assert not judge(GOOD | {name: math.nextafter(FLOORS[name], 0)}).is_accepted


@pytest.mark.parametrize("name", FLOORS)
def test_missing_score_is_rejected(name):
    """What was not measured has not been shown."""
    assert not judge({k: v for k, v in GOOD.items() if k != name}).is_accepted


def test_score_that_is_not_a_number_is_rejected():
    """NaN reaches no floor."""
    assert not judge(GOOD | {"accuracy": math.nan}).is_accepted


@pytest.mark.parametrize("name", FLOORS)
def test_floor_of_null_is_switched_off(name):
    """No score is asked for."""
    scores = {k: v for k, v in GOOD.items() if k != name}

    assert judge(scores, floors=FloorsSpec(**{name: None})).is_accepted


def test_floor_of_zero_is_not_switched_off():
    """Zero is a floor; only null is none."""
    assert not judge({}, floors=FloorsSpec(**OFF | {"accuracy": 0.0})).is_accepted


@given(score=st.floats(0, 1), floor=st.floats(0, 1))
def test_floor_decides_by_comparison_alone(score, floor):
    """Accepted exactly if the score is not below the floor."""
    decision = judge({"accuracy": score}, floors=FloorsSpec(**OFF | {"accuracy": floor}))

    assert (score >= floor) == decision.is_accepted


def test_reason_names_metric_score_and_floor():
    """A rejection can be understood from its line in the log."""
    decision = judge(GOOD | {"f1_macro": 0.5})

    assert "f1_macro 0.5000, at least 0.8 is wanted" == reason(decision, "f1_macro")


def test_reason_of_a_missing_score_says_so():
    """Nothing is written as if it had been measured."""
    assert "accuracy not measured, at least 0.85 is wanted" == reason(judge({}), "accuracy")


@pytest.mark.parametrize(("candidate", "is_accepted"), [(0.75, True), (0.9, True), (0.74, False)])
def test_champion_may_be_missed_by_the_margin(candidate, is_accepted):
    """Exactly the margin is within it."""
    decision = judge(comparison=beside(1.0, candidate), margin=0.25)

    assert is_accepted == decision.is_accepted


def test_margin_of_zero_accepts_an_equal():
    """As good as the champion is good enough."""
    assert judge(comparison=beside(0.9, 0.9), margin=0.0).is_accepted


def test_reason_names_champion_both_scores_and_threshold():
    """The rows are told as a count."""
    decision = judge(comparison=beside(0.9, 0.5), margin=0.25)

    assert (
        "0.5000 where champion v1 scores 0.9000 on the same 40 rows; at least 0.6500 is wanted"
        == reason(decision, "champion")
    )


def test_without_a_champion_there_is_no_such_criterion():
    """The first model is held against floors alone."""
    assert "champion" not in [c.name for c in judge().criteria]


@pytest.mark.parametrize(("severity", "is_accepted"), [("reject", False), ("warn", True)])
@pytest.mark.parametrize("scores", [(None, None), (None, 0.9), (0.9, None)])
def test_incomparable_champion_counts_as_the_settings_say(severity, is_accepted, scores):
    """One score alone compares nothing."""
    decision = judge(comparison=beside(*scores), incomparable_champion=severity)

    assert is_accepted == decision.is_accepted


def test_incomparable_champion_rejects_by_default():
    """Whoever wants to go on blindly must say so."""
    assert not judge(comparison=beside(None, None)).is_accepted


def test_incomparable_champion_is_a_criterion_not_met_even_as_a_warning():
    """The report shows it although it binds nobody."""
    decision = judge(comparison=beside(None, None), incomparable_champion="warn")

    assert ["champion"] == [c.name for c in decision.criteria if not c.is_met]


def test_reason_of_an_incomparable_champion_gives_the_problem():
    """It says what kept the two apart."""
    decision = judge(comparison=beside(None, None, "it takes another input"))

    assert "champion v1 cannot be compared: it takes another input" == reason(decision, "champion")


def test_slow_model_is_accepted_by_default():
    """A timer does not repeat itself, so it only warns."""
    assert judge(p95_ms=101.0).is_accepted


def test_slow_model_is_a_criterion_not_met():
    """The warning stands in the report."""
    assert ["latency_p95_ms"] == [c.name for c in judge(p95_ms=101.0).criteria if not c.is_met]


@pytest.mark.parametrize(("p95_ms", "is_accepted"), [(100.0, True), (100.1, False)])
def test_slow_model_is_rejected_on_demand(p95_ms, is_accepted):
    """The ceiling itself is fast enough."""
    assert is_accepted == judge(p95_ms=p95_ms, latency_severity="reject").is_accepted


@pytest.mark.parametrize(("n_bytes", "is_accepted"), [(10, True), (11, False)])
def test_large_model_is_rejected(n_bytes, is_accepted):
    """The ceiling itself is small enough."""
    assert is_accepted == judge(n_model_bytes=n_bytes, model_bytes=10).is_accepted


def test_reason_of_a_ceiling_names_measure_and_threshold():
    """As with floors."""
    decision = judge(p95_ms=250.5)

    assert "latency_p95_ms 250.5, at most 100 is wanted" == reason(decision, "latency_p95_ms")
