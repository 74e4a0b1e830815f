"""The rounds of a search, and the end of its time budget."""

from itertools import count

import numpy as np
import pandas as pd
import pytest

from job.contracts.dataset import Rows
from job.contracts.settings.search import SearchSpec
from job.stages.training.search.schedule import Schedule


@pytest.fixture(scope="module")
def train():
    """900 rows of three classes."""
    names = np.array([f"k{n}" for n in range(900)], dtype=object)
    return Rows(
        y=np.array(["abc"[n % 3] for n in range(900)], dtype=object),
        leakage_keys=names,
        text_keys=names,
        text=None,
        embeddings=None,
        frame=pd.DataFrame(index=range(900)),
    )


def test_last_round_has_all_rows_and_keeps_its_candidates(train):
    """Earlier rounds keep one candidate in three."""
    rounds = list(Schedule(SearchSpec(halving_factor=3), lambda: 0.0).rounds(9, train))

    assert [3, 3, None] == [r.halving_factor for r in rounds]
    assert [False, False, True] == [r.is_last for r in rounds]
    assert [1 / 9, 1 / 3, 1.0] == pytest.approx([r.share for r in rounds])


def test_without_halving_the_first_round_is_the_last(train):
    (only,) = Schedule(SearchSpec(), lambda: 0.0).rounds(9, train)

    assert (1.0, True) == (only.share, only.is_last)


@pytest.mark.parametrize(
    ("max_seconds", "items", "is_over"),
    [(0.5, [0], True), (1.5, [0, 1], True), (2.5, [0, 1, 2], False), (None, [0, 1, 2], False)],
)
def test_items_end_with_the_time(max_seconds, items, is_over):
    """The clock advances when the schedule is created, and before each item except the first."""
    schedule = Schedule(SearchSpec(max_seconds=max_seconds), count().__next__)

    assert (items, is_over) == (list(schedule.within_time(range(3))), schedule.is_over)


def test_rounds_end_with_the_time_of_their_folds(train):
    """The second round starts in time, its second fold does not, and there is no third round."""
    schedule = Schedule(SearchSpec(halving_factor=3, max_seconds=2.5), count().__next__)
    n_folds = [len(list(schedule.within_time("ab"))) for _ in schedule.rounds(9, train)]

    assert ([2, 1], True) == (n_folds, schedule.is_over)
