"""Floors, ceilings and the champion: what is accepted, and the reasons of rejections."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.evaluations import make_challenge_scores, make_evaluation

from job.contracts.reports.comparison import Comparison, RecallChange
from job.contracts.reports.intervals import Interval
from job.contracts.reports.slices import SliceReport, SliceScore
from job.contracts.reports.stress import BatchScore, StressReport
from job.contracts.settings.gate import FloorsSpec, GateSpec
from job.stages.gate.criteria import decide

OFF = {"accuracy": None, "precision_macro": None, "recall_macro": None, "f1_macro": None}
FLOORS = {"accuracy": 0.85, "precision_macro": 0.8, "recall_macro": 0.8, "f1_macro": 0.8}
GOOD = dict.fromkeys(FLOORS, 1.0)


def judge(
    scores=GOOD,
    *,
    lower=0.0,
    p95_ms=1.0,
    n_model_bytes=1,
    comparisons=(),
    slices=None,
    stress=None,
    challenge=None,
    **spec,
):
    evaluation = make_evaluation(
        scores,
        dict.fromkeys(scores, (lower, 1.0)),
        p95_ms=p95_ms,
        slices=slices,
        stress=stress,
        challenge=challenge,
    )
    return decide(evaluation, n_model_bytes, comparisons, GateSpec(**spec))


def interval(value, lower, upper):
    return Interval(value=value, lower=lower, upper=upper)


def compared(lower=-0.01, upper=0.01, *, role="champion", recalls=None, n_excluded=0):
    middle = (lower + upper) / 2
    return Comparison(
        role=role,
        version="v1",
        metric="f1_macro",
        n_rows=400,
        n_groups=90,
        n_excluded=n_excluded,
        champion_score=0.9,
        candidate_score=0.9 + middle,
        difference=interval(middle, lower, upper),
        recalls=recalls or {},
    )


def incomparable(problem="it takes a different input", role="champion"):
    return Comparison(role=role, version="v1", metric="f1_macro", problem=problem)


def recall(value, lower, upper):
    return RecallChange(
        n_rows=50,
        champion_recall=0.5,
        candidate_recall=0.5 + value / 2,
        difference=interval(value, lower, upper),
    )


def reason(decision, name):
    return next(c.reason for c in decision.criteria if c.name == name)


@pytest.mark.parametrize("name", FLOORS)
def test_score_equal_to_its_floor_is_accepted(name):
    """A score that equals the floor is good enough."""
    assert judge(GOOD | {name: FLOORS[name]}).is_accepted


@pytest.mark.parametrize("name", FLOORS)
def test_score_below_its_floor_is_rejected(name):
    """One unmet criterion is enough."""
    assert not judge(GOOD | {name: math.nextafter(FLOORS[name], 0)}).is_accepted


@pytest.mark.parametrize("name", FLOORS)
def test_missing_score_is_rejected(name):
    """A score that was not measured has not been shown."""
    assert not judge({k: v for k, v in GOOD.items() if k != name}).is_accepted


def test_score_that_is_not_a_number_is_rejected():
    """NaN is not above any floor."""
    assert not judge(GOOD | {"accuracy": math.nan}).is_accepted


@pytest.mark.parametrize("name", FLOORS)
def test_floor_of_null_is_switched_off(name):
    """No score is required."""
    scores = {k: v for k, v in GOOD.items() if k != name}

    assert judge(scores, floors=FloorsSpec(**{name: None})).is_accepted


def test_floor_of_zero_is_not_switched_off():
    """Zero is a floor; only null switches it off."""
    assert not judge({}, floors=FloorsSpec(**OFF | {"accuracy": 0.0})).is_accepted


@given(score=st.floats(0, 1), floor=st.floats(0, 1))
def test_floor_decides_by_comparison_alone(score, floor):
    """A score is accepted exactly if it is not below the floor."""
    decision = judge({"accuracy": score}, floors=FloorsSpec(**OFF | {"accuracy": floor}))

    assert (score >= floor) == decision.is_accepted


def test_reason_names_metric_score_and_floor():
    """The log line alone explains a rejection."""
    decision = judge(GOOD | {"f1_macro": 0.5})

    assert "f1_macro 0.5000 (95% interval 0.0000 to 1.0000), minimum 0.8" == reason(
        decision, "f1_macro"
    )


def test_reason_of_a_missing_score_says_so():
    """Nothing is written as if it had been measured."""
    assert "accuracy not measured, minimum 0.85" == reason(judge({}), "accuracy")


@pytest.mark.parametrize(("lower", "is_accepted"), [(0.85, True), (0.84, False)])
def test_lower_end_is_compared_with_the_floor_where_settings_say_so(lower, is_accepted):
    """A good score on few rows is not enough then."""
    decision = judge(
        {"accuracy": 0.99},
        lower=lower,
        floors_on="lower",
        floors=FloorsSpec(**OFF | {"accuracy": 0.85}),
    )

    assert is_accepted == decision.is_accepted


def test_lower_end_is_not_asked_for_by_default():
    """Floors apply to the score itself."""
    assert judge(GOOD, lower=0.0).is_accepted


def test_score_without_an_interval_reaches_no_floor_of_lower_ends():
    """An unknown bound has not been shown."""
    evaluation = make_evaluation(GOOD, {})

    assert not decide(evaluation, 1, (), GateSpec(floors_on="lower")).is_accepted


@pytest.mark.parametrize(("lower", "is_accepted"), [(-0.24, True), (-0.25, False), (-0.26, False)])
def test_non_inferior_is_what_loses_less_than_the_margin(lower, is_accepted):
    """The lower bound of the difference must be above it; equal is not enough."""
    decision = judge(comparisons=(compared(lower, 0.3),), margin=0.25)

    assert is_accepted == decision.is_accepted


@pytest.mark.parametrize(("lower", "is_accepted"), [(0.001, True), (0.0, False), (-0.001, False)])
def test_superior_is_what_is_shown_to_gain(lower, is_accepted):
    """The margin does not apply then."""
    decision = judge(comparisons=(compared(lower, 0.3),), rule="superiority", margin=0.5)

    assert is_accepted == decision.is_accepted


def test_reason_names_metric_scores_rows_difference_and_interval():
    """The log line alone explains a rejection."""
    decision = judge(comparisons=(compared(-0.04, -0.02, n_excluded=7),), margin=0.02)

    assert (
        "f1_macro 0.8700, champion v1 0.9000, on the same 400 rows in 90 groups "
        "(without 7 rows that it was trained on): difference -0.0300, 90% interval "
        "-0.0400 to -0.0200; required: the lower end is above -0.02"
    ) == reason(decision, "champion")


def test_reason_of_too_few_rows_says_how_many_would_do():
    """The bound at 0.05 is 1.645 standard errors away; a power of 80 % needs 0.842 more."""
    decision = judge(comparisons=(compared(-0.04, 0.04),), margin=0.02)
    wanted = 400 * ((1.6449 + 0.8416) * (0.04 / 1.6449) / 0.02) ** 2

    assert (
        f"too few rows to decide: an equal candidate is accepted 80% of the time with about {wanted:,.0f}"
        in reason(decision, "champion")
    )


@pytest.mark.parametrize(
    ("lower", "upper", "is_accepted"), [(-0.06, 0.05, True), (-0.08, 0.03, False)]
)
def test_inconclusive_comparison_lets_pass_what_scores_within_the_rule(lower, upper, is_accepted):
    """Of the differences -.005 and -.025, only one is within the margin of .02."""
    comparisons = (compared(lower, upper),)

    assert not judge(comparisons=comparisons).is_accepted
    assert is_accepted == judge(comparisons=comparisons, inconclusive="warn").is_accepted


def test_candidate_that_is_shown_to_be_worse_is_not_asked_for_more_rows():
    """More rows would not help it."""
    assert "too few" not in reason(judge(comparisons=(compared(-0.09, -0.03),)), "champion")


def test_without_a_champion_there_is_no_such_criterion():
    """The first model is compared with the floors only."""
    assert "champion" not in [c.name for c in judge().criteria]


def test_anchor_is_judged_as_the_champion_is():
    """A small drop from the champion may be too large a drop from the anchor."""
    decision = judge(comparisons=(compared(), compared(-0.05, -0.03, role="anchor")))

    assert ["anchor"] == [c.name for c in decision.criteria if not c.is_met]
    assert not decision.is_accepted


@pytest.mark.parametrize(("severity", "is_accepted"), [("reject", False), ("warn", True)])
@pytest.mark.parametrize("role", ["champion", "anchor"])
def test_incomparable_champion_counts_as_the_settings_say(severity, is_accepted, role):
    """A warning does not reject."""
    decision = judge(comparisons=(incomparable(role=role),), incomparable_champion=severity)

    assert is_accepted == decision.is_accepted


def test_incomparable_champion_rejects_by_default():
    """Publishing without a comparison must be requested explicitly."""
    assert not judge(comparisons=(incomparable(),)).is_accepted


def test_incomparable_champion_is_a_criterion_not_met_even_as_a_warning():
    """The report shows it although it does not reject."""
    decision = judge(comparisons=(incomparable(),), incomparable_champion="warn")

    assert ["champion"] == [c.name for c in decision.criteria if not c.is_met]


def test_reason_of_an_incomparable_champion_gives_the_problem():
    """The reason says what prevented the comparison."""
    decision = judge(comparisons=(incomparable(),))

    assert "champion v1 cannot be compared: it takes a different input" == reason(
        decision, "champion"
    )


@pytest.mark.parametrize(
    ("change", "is_accepted"),
    [
        ((-0.20, -0.30, -0.10), False),
        ((-0.20, -0.45, 0.05), True),  # large, but not shown
        ((-0.04, -0.05, -0.03), True),  # shown, but small
        ((0.20, 0.10, 0.30), True),
    ],
)
def test_recall_of_a_class_may_not_be_shown_to_fall_by_more_than_the_margin(change, is_accepted):
    """One of the two conditions alone is not enough."""
    recalls = {"kept": recall(0.0, -0.1, 0.1), "lost": recall(*change)}
    decision = judge(comparisons=(compared(recalls=recalls),), recall_margin=0.05)

    assert is_accepted == decision.is_accepted
    assert (
        "'lost' -0.2000 (-0.3000 to -0.1000) on 50 rows" in reason(decision, "champion_recall")
    ) != is_accepted


def test_recall_is_not_looked_at_without_a_margin():
    """null switches it off."""
    recalls = {"lost": recall(-0.9, -1.0, -0.8)}

    assert judge(comparisons=(compared(recalls=recalls),), recall_margin=None).is_accepted


@pytest.mark.parametrize(("error", "is_accepted"), [(0.05, True), (0.051, False), (None, False)])
def test_calibration_is_a_criterion_on_demand(error, is_accepted):
    """A value that was not measured has not been shown."""
    scores = GOOD | ({} if error is None else {"calibration_error": error})

    assert is_accepted == judge(scores, calibration_error=0.05).is_accepted


def test_override_publishes_and_stays_a_rejection():
    """A reader of the decision sees both."""
    decision = judge({}).copy_with(override="agreed with the owner")

    assert (False, True) == (decision.is_accepted, decision.is_published)
    assert "agreed with the owner" == decision.to_json()["override"]


def test_slow_model_is_accepted_by_default():
    """Measured times vary, so the criterion only warns."""
    assert judge(p95_ms=101.0).is_accepted


def test_slow_model_is_a_criterion_not_met():
    """The report contains the warning."""
    assert ["latency_p95_ms"] == [c.name for c in judge(p95_ms=101.0).criteria if not c.is_met]


@pytest.mark.parametrize(("p95_ms", "is_accepted"), [(100.0, True), (100.1, False)])
def test_slow_model_is_rejected_on_demand(p95_ms, is_accepted):
    """A latency that equals the ceiling is fast enough."""
    assert is_accepted == judge(p95_ms=p95_ms, latency_severity="reject").is_accepted


@pytest.mark.parametrize(("n_bytes", "is_accepted"), [(10, True), (11, False)])
def test_large_model_is_rejected(n_bytes, is_accepted):
    """A size that equals the ceiling is small enough."""
    assert is_accepted == judge(n_model_bytes=n_bytes, model_bytes=10).is_accepted


def test_reason_of_a_ceiling_names_measure_and_threshold():
    """The reason has the same form as that of a floor."""
    decision = judge(p95_ms=250.5)

    assert "latency_p95_ms 250.5, maximum 100" == reason(decision, "latency_p95_ms")


def slices(**upper_bounds):
    return SliceReport(
        metric="accuracy",
        level=0.95,
        min_rows=30,
        min_groups=10,
        n_not_shown=0,
        single_valued=(),
        scores=[
            SliceScore(
                column="channel",
                value=value,
                n_rows=60,
                n_groups=60,
                accuracy=interval(bound - 0.1, 0.0, bound),
                upper_bound=bound,
                difference=0.0,
                difference_upper_bound=0.1,
                score=None,
            )
            for value, bound in upper_bounds.items()
        ],
    )


def test_slices_are_not_looked_at_without_a_floor():
    """The criterion is off unless it is configured."""
    assert [] == [c for c in judge(slices=slices(web=0.1)).criteria if c.name == "slice_floor"]


@pytest.mark.parametrize(("bound", "is_accepted"), [(0.7, True), (0.699, False)])
def test_slice_that_is_shown_to_be_below_its_floor_is_rejected(bound, is_accepted):
    """Its estimate may be below the floor: that shows nothing."""
    decision = judge(slices=slices(web=0.9, app=bound), slice_floor=0.7)

    assert is_accepted == decision.is_accepted


def test_reason_names_the_slices_below_the_floor():
    """It names only these, with value, bound and rows."""
    text = reason(judge(slices=slices(web=0.9, app=0.6), slice_floor=0.7), "slice_floor")

    assert "'channel' = 'app': 0.5000 (upper bound 0.6000) on 60 rows; required" in text
    assert "'web'" not in text


@pytest.mark.parametrize("measured", [None, slices()])
def test_floor_of_slices_without_any_is_rejected(measured):
    """A value that was not measured does not meet the floor."""
    assert not judge(slices=measured, slice_floor=0.7).is_accepted


def stressed(accuracy, bounds=None):
    worst = BatchScore(
        name="opt_out", accuracy=0.31, accuracy_as_given=0.9, accuracy_recentered=None
    )
    return StressReport(
        stated_by="check",
        share=0.85,
        n_batch_rows=100,
        n_draws=10,
        n_rows=100,
        n_groups=50,
        n_classes_left_out=0,
        classes=(worst,),
        accuracy=accuracy,
        interval=None if bounds is None else interval(accuracy, *bounds),
        level=0.95,
    )


def test_standardized_batches_are_not_looked_at_without_a_floor():
    """The criterion is off unless it is configured."""
    decision = judge(stress=stressed(0.1))

    assert [] == [c for c in decision.criteria if c.name == "stress_accuracy"]


@pytest.mark.parametrize(("accuracy", "is_accepted"), [(0.7, True), (0.6999, False)])
def test_accuracy_in_standardized_batches_below_its_floor_is_rejected(accuracy, is_accepted):
    """An accuracy that equals the floor is good enough."""
    assert is_accepted == judge(stress=stressed(accuracy), stress_floor=0.7).is_accepted


def test_reason_names_the_class_of_the_lowest_batches():
    """The criterion contains the interval, if there is one."""
    decision = judge(stress=stressed(0.8, (0.7, 0.9)), stress_floor=0.7)
    (criterion,) = [c for c in decision.criteria if c.name == "stress_accuracy"]

    assert "0.8000 (lowest 0.3100, mostly 'opt_out'), minimum 0.7" in criterion.reason
    assert (0.7, 0.9) == (criterion.lower, criterion.upper)


def test_floor_of_standardized_batches_without_any_is_rejected():
    """A value that was not measured does not meet the floor."""
    decision = judge(stress_floor=0.0)

    assert not decision.is_accepted
    assert "not measured" in reason(decision, "stress_accuracy")


def uncertain(value, *, standard_error=0.03, n_groups=90, role="champion", is_advisory=False):
    """Return a comparison on a table that cannot show the margin."""
    half_width = 1.645 * standard_error
    return Comparison(
        role=role,
        version="v1",
        metric="f1_macro",
        basis="shared_groups",
        n_rows=4000,
        n_groups=n_groups,
        champion_score=0.9,
        candidate_score=0.9 + value,
        difference=interval(value, value - half_width, value + half_width),
        standard_error=standard_error,
        is_advisory=is_advisory,
    )


@pytest.mark.parametrize(("value", "is_accepted"), [(0.0, True), (-0.049, True), (-0.051, False)])
def test_small_table_tolerates_what_chance_explains(value, is_accepted):
    """It is 1.645 standard errors, but at most `gate.max_drop`; the reason names the rule."""
    decision = judge(comparisons=(uncertain(value),))
    criterion = decision.criteria[-1]

    assert is_accepted == decision.is_accepted
    assert "default" == criterion.rule
    assert "drops of more than" in criterion.reason
    assert decision.rests_on_default == is_accepted


def test_drop_is_tolerated_up_to_chance_only():
    """With a standard error of .015 the table tolerates 2.5 points, not five."""
    assert judge(comparisons=(uncertain(-0.024, standard_error=0.015),)).is_accepted
    assert not judge(comparisons=(uncertain(-0.026, standard_error=0.015),)).is_accepted


def test_table_that_can_show_the_margin_has_to():
    """Its candidate itself is inconclusive: nothing is tolerated."""
    close = uncertain(-0.012, standard_error=0.006)
    decision = judge(comparisons=(close,))

    assert not decision.is_accepted
    assert "margin" == decision.criteria[-1].rule


def test_models_that_agree_on_every_row_pass_on_any_table():
    """An error seen in none of few groups may still affect some, and is tolerated."""
    same = uncertain(0.0, n_groups=60).copy_with(
        standard_error=0.0,
        difference=interval(0.0, -0.05, 0.05).copy_with(is_by_count=True),
    )

    assert judge(comparisons=(same,)).is_accepted
    assert not judge(comparisons=(same,), inconclusive="reject").is_accepted


def test_superiority_tolerates_nothing():
    """An improvement must be shown."""
    assert not judge(comparisons=(uncertain(0.01),), rule="superiority").is_accepted


def test_error_of_equal_retrainings_counts_where_it_is_larger():
    """Two models may agree by chance on groups whose predictions change with most retrainings."""
    close = uncertain(-0.03, standard_error=0.012)
    evaluation = make_evaluation(GOOD, {})
    alone = decide(evaluation, 1, (close,), GateSpec())
    with_folds = decide(evaluation, 1, (close,), GateSpec(), equal_error=("f1_macro", 0.025))

    assert (False, True) == (alone.is_accepted, with_folds.is_accepted)
    assert 0.025 == with_folds.can_show.standard_error


def test_without_a_champion_the_folds_say_what_can_be_shown():
    """Without folds, nothing can be shown."""
    evaluation = make_evaluation(GOOD, {})

    assert decide(evaluation, 1, (), GateSpec()).can_show is None
    can_show = decide(evaluation, 1, (), GateSpec(), equal_error=("f1_macro", 0.025)).can_show
    assert 0.9 < can_show.equal_accepted < 1


def test_anchor_that_a_run_has_set_only_warns_where_it_cannot_be_compared():
    """An anchor that the settings name rejects."""
    advisory = incomparable(role="anchor").copy_with(is_advisory=True)

    assert judge(comparisons=(advisory,)).is_accepted
    assert not judge(comparisons=(incomparable(role="anchor"),)).is_accepted


def test_published_models_beside_the_recipes_only_warn():
    """A hold-out of few groups depends on chance; the report still shows the drop."""
    fallen = uncertain(-0.2, role="champion_model")
    decision = judge(comparisons=(uncertain(0.0), fallen))

    assert decision.is_accepted
    assert [c.name for c in decision.criteria if not c.is_met] == ["champion_model"]


CHALLENGE = make_challenge_scores({"accuracy": 0.7, "f1_macro": 0.69}, {"accuracy": (0.6, 0.8)})


@pytest.mark.parametrize(
    ("floor", "floors_on", "is_accepted"),
    [(0.7, "point", True), (0.71, "point", False), (0.6, "lower", True), (0.61, "lower", False)],
)
def test_floor_on_the_challenge_set_binds(floor, floors_on, is_accepted):
    """It works like the table's floors: by the score, or by the lower bound of its interval."""
    decision = judge(
        lower=1.0,
        challenge=CHALLENGE,
        challenge_floors={"accuracy": floor},
        floors_on=floors_on,
    )

    assert is_accepted == decision.is_accepted
    assert "challenge_accuracy 0.7000 (95% interval 0.6000 to 0.8000)" in reason(
        decision, "challenge_accuracy"
    )


def test_challenge_set_that_was_not_judged_reaches_no_floor():
    decision = judge(challenge_floors={"f1_macro": 0.1})

    assert not decision.is_accepted
    assert "challenge_f1_macro not measured" in reason(decision, "challenge_f1_macro")


def test_challenge_set_has_no_floor_by_default():
    names = [c.name for c in judge(challenge=CHALLENGE).criteria]

    assert [] == [name for name in names if name.startswith("challenge")]
