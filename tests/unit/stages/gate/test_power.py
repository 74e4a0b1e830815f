"""The reported power of a comparison agrees with the gate's own decisions."""

import numpy as np
import pytest
from scipy.stats import norm

from job.contracts.metrics import METRICS
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.intervals import Interval
from job.contracts.reports.search import SearchedLabels
from job.contracts.settings.gate import GateSpec, PairedSpec
from job.stages.gate.comparison_criteria import champion_criterion
from job.stages.gate.power import (
    can_show_margin,
    describe_power,
    measure_equal_error,
    tolerated_drop,
)

SPEC = PairedSpec(metric=METRICS["f1_macro"], alpha=0.05, resamples=1000, random_state=0)


def passes(difference, standard_error, spec):
    half_width = norm.ppf(1 - spec.alpha) * standard_error
    interval = Interval(
        value=difference, lower=difference - half_width, upper=difference + half_width
    )
    comparison = Comparison(
        role="champion",
        version="v1",
        metric="f1_macro",
        n_rows=1000,
        n_groups=200,
        champion_score=0.9,
        candidate_score=0.9 + difference,
        difference=interval,
        standard_error=standard_error,
    )
    return champion_criterion(comparison, spec).is_met


@pytest.mark.parametrize("standard_error", [0.002, 0.005, 0.01, 0.024, 0.06])
@pytest.mark.parametrize("inconclusive", ["tolerate", "reject", "warn"])
def test_shares_are_those_of_the_gates_decisions(standard_error, inconclusive):
    """Differences are normal; with `warn`, one within the margin passes without meeting it."""
    spec = GateSpec(inconclusive=inconclusive)
    power = describe_power(standard_error, spec, "f1_macro")
    noise = standard_error * norm.ppf((np.arange(800) + 0.5) / 800)

    def share(drop):
        met = [
            passes(d, standard_error, spec)
            or (
                inconclusive == "warn"
                and d >= -spec.margin
                and not can_show_margin(standard_error, spec)
            )
            for d in noise - drop
        ]
        return float(np.mean(met))

    assert share(0.0) == pytest.approx(power.equal_accepted, abs=0.005)
    if power.largest_drop > 0:
        assert share(power.largest_drop) == pytest.approx(0.05, abs=0.005)


def test_even_table_of_three_thousand_groups_rules_three_points_out():
    """Two retrainings differ in 8 % of the rows: the standard error is .0052."""
    power = describe_power(np.sqrt(0.08 / 3000), GateSpec(), "accuracy")

    assert power.equal_accepted > 0.9
    assert power.largest_drop <= 0.03


def test_upstreams_table_rules_ten_points_out():
    """Its groups have a standard error of .0245 between two sets of folds."""
    power = describe_power(0.0245, GateSpec(), "f1_macro")

    assert power.equal_accepted > 0.9
    assert power.largest_drop <= 0.10


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.1])
def test_tolerated_drop_has_two_bounds(margin):
    """The margin is the lower bound, `max_drop` the upper one; chance decides in between."""
    spec = GateSpec(margin=margin, max_drop=0.05)

    assert min(margin, 0.05) == tolerated_drop(0.0, spec)
    assert 0.05 == tolerated_drop(1.0, spec)


def test_error_of_equal_retrainings_is_that_of_two_sets_of_folds():
    """Rows that the search has not predicted do not count."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 5)
    y = groups % 2
    flips = rng.random(200) < 0.05
    first = np.where(flips[groups], 1 - y, y)
    labels = SearchedLabels(
        n_classes=2,
        y_true=y,
        y_pred=np.stack([first, np.full(1000, -1)]).astype(np.int16),
        fold=np.zeros(1000, np.int16),
    )
    standard_error = measure_equal_error(labels, 0, y, groups, SPEC)

    assert standard_error == pytest.approx(np.sqrt(flips.mean() / 200), rel=0.25)
    assert measure_equal_error(labels, 1, y, groups, SPEC) is None
