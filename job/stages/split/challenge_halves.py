"""The requests of a challenge set: which of them choose, and which judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import structlog

from job.contracts.dataset import Rows
from job.errors import ContractViolationError
from job.stages.split.folds import cut_hash_folds
from job.stages.split.holdout import digest_groups

log = structlog.get_logger(__name__)
Array = np.ndarray[Any, Any]
MIN_ROWS: Final = 30
MIN_CLASS_ROWS: Final = 5
MIN_CHOOSING: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeSet:
    """Requests that nothing is trained on.

    Attributes
    ----------
    rows
        All of them, with their families.
    choosing, judging
        Those that choose the candidate and the threshold, and those that the model is judged on:
        two halves, or all rows twice.
    n_dropped
        Rows of the table that were left out as near-duplicates of the set.
    """

    rows: Rows
    choosing: Rows
    judging: Rows
    is_halved: bool
    n_dropped: int = 0


def make_challenge_set(
    rows: Rows, split: Literal["none", "half"], salt: str, n_dropped: int
) -> ChallengeSet:
    """Cut the requests into halves, or use all of them for both.

    Parameters
    ----------
    rows
        With families; a family stays in one half, and each class is cut by itself.
    salt
        Of the hash that decides the half.

    Raises
    ------
    ContractViolationError
        All requests fall into one half.
    """
    choosing = judging = rows
    if split == "half":
        fold = cut_folds_of_requests(rows, 2, salt)
        choosing, judging = rows.take(fold == 0), rows.take(fold == 1)
        if not len(choosing) or not len(judging):
            raise ContractViolationError(
                "the challenge set cannot be cut into halves: its requests are one family",
                hint="add requests, or --set evaluation.challenge_split=none",
            )
    return ChallengeSet(
        rows=rows,
        choosing=choosing,
        judging=judging,
        is_halved=split == "half",
        n_dropped=n_dropped,
    )


def cut_folds_of_requests(rows: Rows, n_folds: int, salt: str) -> Array:
    """Return the fold of each row, shape (n_rows,): whole families, by class and salted hash."""
    groups = np.unique(rows.groups, return_inverse=True)[1]
    labels = pd.factorize(np.asarray(rows.y, dtype=object), sort=True)[0]
    digests = digest_groups(rows, groups, int(groups.max()) + 1, salt)
    return cut_hash_folds(labels, groups, digests, n_folds)


def count_smallest_class(rows: Rows, labels: Array) -> int:
    """Return the rows of the one of these classes that has the fewest."""
    return min(int((rows.y == name).sum()) for name in pd.unique(labels))


def warn_of_few_requests(rows: Rows, labels: Array) -> None:
    """Log a warning where the set can hardly show anything.

    Parameters
    ----------
    labels
        Those of the table's rows.
    """
    n_smallest = count_smallest_class(rows, labels)
    if len(rows) < MIN_ROWS or n_smallest < MIN_CLASS_ROWS:
        log.warning(
            "challenge_set_small",
            n_rows=len(rows),
            n_smallest_class=n_smallest,
            min_rows=MIN_ROWS,
            min_class_rows=MIN_CLASS_ROWS,
        )
