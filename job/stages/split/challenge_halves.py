"""Divide the challenge set into requests for choosing a model and for evaluating the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.errors import ContractViolationError
from job.stages.split.folds import cut_hash_folds
from job.stages.split.holdout import digest_groups

log = structlog.get_logger(__name__)
MIN_ROWS: Final = 30
MIN_CLASS_ROWS: Final = 5
MIN_CHOOSING_ROWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeSet:
    """The requests of the challenge set; no model is trained on them.

    Attributes
    ----------
    rows
        All requests, with their near-duplicate groups.
    choosing
        Requests that are used to choose the candidate and the decision threshold.
    evaluating
        Requests that are used to evaluate the model.
    is_halved
        Whether `choosing` and `evaluating` are the two halves of `rows`.  If false, both have all
        requests.
    n_dropped
        Number of rows of the table that were dropped as near-duplicates of the challenge set.
    """

    rows: Rows
    choosing: Rows
    evaluating: Rows
    is_halved: bool
    n_dropped: int = 0


def make_challenge_set(
    rows: Rows, split: Literal["none", "half"], salt: str, n_dropped: int
) -> ChallengeSet:
    """Divide the requests into halves, or use all requests both to choose and to evaluate.

    Parameters
    ----------
    rows
        Requests with near-duplicate groups.  All requests of a group are in the same half.  Each
        class is halved separately.
    salt
        Salt of the hash that assigns each group to a half.

    Raises
    ------
    ContractViolationError
        All requests fall into one half.
    """
    choosing = evaluating = rows
    if split == "half":
        fold = cut_request_folds(rows, 2, salt)
        choosing, evaluating = rows.take(fold == 0), rows.take(fold == 1)
        if not len(choosing) or not len(evaluating):
            raise ContractViolationError(
                "the challenge set cannot be split into halves: all requests are in one group of "
                "near-duplicates",
                hint="add requests with other wording, or use --set "
                "evaluation.challenge_split=none",
            )
    return ChallengeSet(
        rows=rows,
        choosing=choosing,
        evaluating=evaluating,
        is_halved=split == "half",
        n_dropped=n_dropped,
    )


def cut_request_folds(rows: Rows, n_folds: int, salt: str) -> Array:
    """Return each request's fold, shape (n_rows,); whole groups are assigned by salted hash."""
    groups = np.unique(rows.groups, return_inverse=True)[1]
    labels = pd.factorize(np.asarray(rows.y, dtype=object), sort=True)[0]
    digests = digest_groups(rows, groups, int(groups.max()) + 1, salt)
    return cut_hash_folds(labels, groups, digests, n_folds)


def count_smallest_class(rows: Rows, labels: Array) -> int:
    """Return how many rows the smallest class has; `labels` holds the classes to consider."""
    return min(int((rows.y == name).sum()) for name in pd.unique(labels))


def warn_about_small_challenge_set(rows: Rows, labels: Array) -> None:
    """Log a warning if the challenge set is too small for reliable scores.

    Parameters
    ----------
    labels
        Labels of the table's rows; each class among them needs enough requests.
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
