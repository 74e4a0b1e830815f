"""Halves and folds of a challenge set keep groups whole, and do not depend on the rows' order."""

import numpy as np
import pytest
import structlog
from support.rows import rows_of_texts

from job.errors import ContractViolationError
from job.stages.split.challenge_halves import (
    cut_request_folds,
    make_challenge_set,
    warn_about_small_challenge_set,
)


def make_requests(n_per_class, *, copies=1):
    texts = [f"request {c} {n}" for c in "abcd" for n in range(n_per_class) for _ in range(copies)]
    y = np.repeat(list("abcd"), n_per_class * copies)
    near_duplicate_groups = np.repeat(np.arange(4 * n_per_class), copies)
    return rows_of_texts(texts, y=y, near_duplicate_groups=near_duplicate_groups)


def test_set_without_halves_chooses_and_judges_with_all_rows():
    challenge = make_challenge_set(make_requests(8), "none", "salt", 3)

    assert (False, 3) == (challenge.is_halved, challenge.n_dropped)
    assert [32] * 3 == [len(r) for r in (challenge.rows, challenge.choosing, challenge.evaluating)]


def test_halves_share_no_group_and_have_each_class():
    """Each half has half of each class, whatever the sizes of the groups."""
    challenge = make_challenge_set(make_requests(10, copies=3), "half", "salt", 0)
    halves = [set(r.near_duplicate_groups) for r in (challenge.choosing, challenge.evaluating)]

    assert not halves[0] & halves[1]
    assert 40 == len(halves[0] | halves[1])
    assert [15] * 4 == [int((challenge.evaluating.y == name).sum()) for name in "abcd"]


def test_half_of_a_request_follows_from_its_hash():
    """It depends on neither position nor seed; another salt gives another half."""
    rows = make_requests(10)
    order = np.random.default_rng(0).permutation(len(rows))
    fold = cut_request_folds(rows, 2, "salt")

    assert (fold[order] == cut_request_folds(rows.take(order), 2, "salt")).all()
    assert (fold != cut_request_folds(rows, 2, "another")).any()


def test_set_of_one_group_has_no_halves():
    """All requests would be for choosing, and none for evaluating."""
    rows = rows_of_texts(
        ["one", "another"], y=np.array(["a", "a"]), near_duplicate_groups=np.zeros(2, int)
    )
    with pytest.raises(ContractViolationError, match="one group of near-duplicates"):
        make_challenge_set(rows, "half", "salt", 0)


def test_small_set_is_a_warning():
    """Small means fewer than 30 rows, or fewer than 5 of a class of the table."""
    labels = np.array(list("abcd"), dtype=object)
    with structlog.testing.capture_logs() as logs:
        warn_about_small_challenge_set(make_requests(8), labels)
        warn_about_small_challenge_set(make_requests(7), labels)
        warn_about_small_challenge_set(make_requests(8), np.append(labels, "e"))

    assert [(28, 7), (32, 0)] == [(e["n_rows"], e["n_smallest_class"]) for e in logs]
    assert {"warning"} == {e["log_level"] for e in logs}
