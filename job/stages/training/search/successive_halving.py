"""Successive halving: who goes on to the next round, and with how many rows.

In the first round many candidates meet few rows; each round keeps the best one of `factor` of
them and gives them `factor` times the rows, until the last round has all rows (Jamieson &
Talwalkar 2016).  There are as many rounds as in scikit-learn's `HalvingGridSearchCV` with
`min_resources="exhaust"`; the last one has all rows also where those are too few for every round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def plan_rounds(
    n_candidates: int, n_rows: int, n_classes: int, n_folds: int, factor: int | None
) -> list[float]:
    """Return the share of the rows that each round takes; the last one is 1.

    No round has fewer rows than two of each class and fold.
    """
    if factor is None:
        return [1.0]
    least = min(2 * n_folds * n_classes, n_rows)
    n_needed = 1 + _floor_log(n_candidates, factor)
    n_possible = 1 + _floor_log(n_rows / least, factor)
    n_rounds = min(n_needed, n_possible)
    return [float(factor) ** (n + 1 - n_rounds) for n in range(n_rounds)]


def _floor_log(value: float, base: int) -> int:
    # NOTE: log(125, 5) is a little less than 3
    return int(math.log(value) / math.log(base) + 1e-9)


def keep_best(means: Sequence[float], factor: int) -> list[int]:
    """Return the positions of the best one of `factor`, in their order; the first of equals."""
    n_kept = -(-len(means) // factor)
    return sorted(np.argsort(-np.asarray(means), kind="stable")[:n_kept].tolist())


def find_eliminated(scores: Sequence[Sequence[float]], n_left: int) -> list[int]:
    """Return the positions of candidates that are too far behind to be likely to win.

    The leader has the best mean.  Beaten is who would have to make up more in every fold that is
    left than the lead over anybody has varied from fold to fold.

    Parameters
    ----------
    scores
        Those of each candidate in the same folds, shape (n_candidates, n_done).
    """
    found = np.asarray(scores)
    if found.shape[1] < 2 or n_left < 1:
        return []
    leads = found[found.mean(axis=1).argmax()] - found
    swing = np.ptp(leads, axis=1).max()
    return np.flatnonzero(leads.sum(axis=1) > n_left * swing).tolist()
