"""Slices are compared with the rest: which are shown, with which interval, and which are worse."""

import json

import numpy as np
import pandas as pd
import pytest
from support.simulated import bootstrap_of, draw, predictions

from job.contracts.metrics import METRICS
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.slice_scores import score_slices

SPEC = EvaluationSpec(resamples=1000)


def judge(predicted, groups, slices, metric=METRICS["f1_macro"], **spec):
    frame = pd.DataFrame({name: pd.Categorical(values) for name, values in slices.items()})
    spec = SPEC.model_copy(update=spec)
    bootstrap = bootstrap_of(predicted, groups, spec)
    return score_slices(predicted, bootstrap, frame, metric, min_rows=spec.min_slice_rows)


def half_wrong(n=400):
    """Every fourth row of `a` is wrong, and every twentieth of `b`."""
    y = np.arange(n) % 4
    is_a = np.arange(n) // 4 % 2 == 0
    number = np.where(is_a, np.cumsum(is_a), np.cumsum(~is_a))
    is_wrong = np.where(is_a, number % 4 == 0, number % 20 == 0)
    return predictions(y, np.where(is_wrong, (y + 1) % 4, y)), np.where(is_a, "a", "b")


def test_slice_has_the_accuracy_of_its_rows_and_the_difference_to_the_rest():
    """The report also has the numbers of rows and groups."""
    predicted, names = half_wrong()
    worst, best = judge(predicted, np.arange(400) // 2, {"x": names}).scores

    assert ("a", 200, 100, 0.75) == (
        worst.value,
        worst.n_rows,
        worst.n_groups,
        worst.accuracy.value,
    )
    assert pytest.approx((-0.2, 0.2)) == (worst.difference, best.difference)


def test_slice_that_is_worse_is_named_and_its_rest_is_not():
    """The accuracies are 0.75 and 0.95, on 200 rows each."""
    predicted, names = half_wrong()

    assert [True, False] == [
        s.is_worse for s in judge(predicted, np.arange(400), {"x": names}).scores
    ]


@pytest.mark.parametrize(("n_rows", "n_shown"), [(29, 0), (30, 2)])
def test_slice_of_fewer_rows_than_the_minimum_is_counted(n_rows, n_shown):
    """The rest is not shown either, because the difference would disclose the slice."""
    predicted, _ = half_wrong(200)
    names = np.where(np.arange(200) < n_rows, "few", "many")
    report = judge(predicted, np.arange(200), {"x": names})

    assert (n_shown, 2 - n_shown) == (len(report.scores), report.n_not_shown)


@pytest.mark.parametrize(("n_groups", "n_shown"), [(9, 0), (10, 2)])
def test_slice_of_fewer_groups_than_ten_is_counted(n_groups, n_shown):
    """Copies do not count as additional rows."""
    predicted, _ = half_wrong(400)
    is_few = np.arange(400) < 100
    groups = np.where(is_few, np.arange(400) % n_groups, 100 + np.arange(400))
    report = judge(predicted, groups, {"x": np.where(is_few, "few", "many")})

    assert (n_shown, 2 - n_shown) == (len(report.scores), report.n_not_shown)


def test_group_that_lies_in_both_slices_counts_in_both():
    """`few` has nine groups of its own and shares one, so it has ten; `many` has the shared one."""
    predicted, _ = half_wrong(400)
    groups = np.where(np.arange(400) < 100, np.arange(400) % 10, np.arange(400))
    is_few = (np.arange(400) < 100) & ((groups != 9) | (np.arange(400) < 50))
    report = judge(predicted, groups, {"x": np.where(is_few, "few", "many")})

    assert {"few": 10, "many": 301} == {s.value: s.n_groups for s in report.scores}


def test_column_of_one_slice_is_undivided():
    """There is no rest."""
    predicted, names = half_wrong()
    report = judge(predicted, np.arange(400), {"same": np.full(400, "a"), "x": names})

    assert (("same",), 0, {"x"}) == (
        report.single_valued,
        report.n_not_shown,
        {s.column for s in report.scores},
    )


def test_slice_without_an_error_is_bounded_by_one():
    """The number of groups determines its interval."""
    y = np.arange(200) % 4
    predicted = predictions(y, np.where(np.arange(200) < 20, (y + 1) % 4, y))
    names = np.where(np.arange(200) < 100, "a", "b")
    best = judge(predicted, np.arange(200), {"x": names}).scores[-1]

    assert ("b", 1.0, True) == (best.value, best.upper_bound, best.accuracy.is_by_count)


def test_slice_of_errors_alone_has_an_upper_bound_above_zero():
    """A correct row seen in none of its groups may still occur in some."""
    y = np.arange(200) % 4
    is_a = np.arange(200) < 60
    predicted = predictions(y, np.where(is_a, (y + 1) % 4, y))
    worst = judge(predicted, np.arange(200), {"x": np.where(is_a, "a", "b")}).scores[0]

    assert pytest.approx(1 - (0.05 / 2) ** (1 / 60)) == worst.upper_bound
    assert worst.is_worse


def test_report_is_json():
    """It contains no NumPy numbers."""
    predicted, names = half_wrong()
    content = judge(predicted, np.arange(400), {"x": names}).to_json()

    assert content == json.loads(json.dumps(content, allow_nan=False))


def test_names_of_slices_change_no_number():
    """The order of columns and categories does not either."""
    predicted, names = half_wrong()
    other = np.arange(400) % 3
    given = judge(predicted, np.arange(400), {"x": names, "y": other.astype(str)})
    turned = judge(
        predicted, np.arange(400), {"x": np.where(names == "a", "z", "c"), "y": 9 - other}
    )

    assert [s.accuracy for s in given.scores] == [s.accuracy for s in turned.scores]
    assert pytest.approx([s.upper_bound for s in given.scores]) == [
        s.upper_bound for s in turned.scores
    ]


@pytest.mark.parametrize(("n_groups", "is_uneven"), [(150, False), (400, True)])
def test_equal_slices_are_rarely_called_worse(n_groups, is_uneven):
    """If no slice is worse, at most 5 % of hold-outs report one (plus two standard errors)."""
    n, n_named, n_missed = 100, 0, 0
    for seed in range(n):
        rng = np.random.default_rng(seed)
        groups, predicted = draw(n_groups, rng, is_uneven=is_uneven)
        many = rng.choice(8, n_groups, p=np.array([8, 7, 6, 5, 4, 3, 2, 1]) / 36)[groups]
        two = rng.integers(0, 2, n_groups)[groups]
        scores = judge(predicted, groups, {"many": many, "two": two}, METRICS["accuracy"]).scores
        n_named += any(score.is_worse for score in scores)
        n_missed += any(score.upper_bound < 0.942 for score in scores)

    assert max(n_named, n_missed) / n <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / n)
