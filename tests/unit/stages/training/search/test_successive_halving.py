"""Rounds of successive halving."""

import numpy as np
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  # HalvingGridSearchCV
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import HalvingGridSearchCV

from job.stages.split.folds import take_share
from job.stages.training.search.successive_halving import keep_best, plan_rounds


@pytest.mark.parametrize("n_candidates", [1, 2, 3, 6, 9, 10, 27])
@pytest.mark.parametrize(("n_rows", "factor"), [(90, 3), (400, 2), (400, 3), (60, 5)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_rounds_are_those_of_scikit_learn(n_candidates, n_rows, factor):
    """Rounds and candidates are the same, and the numbers of rows are the same up to rounding.

    Where the rows are too few for all rounds, it counts up from the least; the job's last round has
    all rows even so.
    """
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n_rows, 2)), np.arange(n_rows) % 2
    sklearn_search = HalvingGridSearchCV(
        LogisticRegression(max_iter=1),
        {"C": np.logspace(-2, 2, n_candidates).tolist()},
        factor=factor,
        cv=3,
        min_resources="exhaust",
        refit=False,
    ).fit(X, y)
    shares = plan_rounds(n_candidates, n_rows, 2, 3, factor)
    n_remaining, counts = n_candidates, []
    for _ in shares:
        counts.append(n_remaining)
        n_remaining = len(keep_best([0.0] * n_remaining, factor))

    assert sklearn_search.n_candidates_ == counts
    is_bound = sklearn_search.n_resources_[0] == sklearn_search.min_resources_ == 12
    for share, n_resources in zip(shares, sklearn_search.n_resources_, strict=True):
        assert is_bound or n_rows * share == pytest.approx(n_resources, abs=factor ** len(shares))


def test_last_round_has_all_rows():
    """scikit-learn may round the number down."""
    assert [1 / 9, 1 / 3, 1.0] == pytest.approx(plan_rounds(9, 1000, 4, 3, 3))


def test_without_halving_there_is_one_round():
    """All candidates are evaluated on all rows."""
    assert [1.0] == plan_rounds(100, 1000, 4, 3, None)


def test_best_are_kept_in_their_order():
    """The first one wins a tie."""
    assert [1, 2] == keep_best([0.1, 0.9, 0.8, 0.8], 2)


def test_share_holds_whole_keys_of_every_class():
    """A rare class keeps its minimum number of groups."""
    y = np.array(["many"] * 90 + ["few"] * 10)
    groups = np.array([f"k{n // 2}" for n in range(100)])
    kept = take_share(y, groups, 0.2, 3, 0)

    assert ({"many": 18, "few": 6}, True) == (
        {name: int((y[kept] == name).sum()) for name in ("many", "few")},
        {groups[n] for n in kept}.isdisjoint(groups[sorted(set(range(100)) - set(kept.tolist()))]),
    )


def test_class_that_leads_no_key_is_in_every_share():
    """It has few rows in groups of other classes."""
    y = np.array(["many", "many", "few"] * 5 + ["many"] * 285)
    groups = np.array([f"k{n // 3}" for n in range(300)])

    assert 3 <= (y[take_share(y, groups, 0.05, 3, 0)] == "few").sum()


def test_larger_share_holds_the_smaller_one():
    """Knowledge about a candidate from some rows remains valid for these rows."""
    y, groups = np.array(["a", "b"] * 100), np.array([f"k{n}" for n in range(200)])
    small, large = (set(take_share(y, groups, share, 2, 7).tolist()) for share in (0.1, 0.3))

    assert small < large
