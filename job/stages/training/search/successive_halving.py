"""Successive halving, and early elimination of candidates.

How it works
------------
1. The first round evaluates all candidates on few rows.
2. Each round keeps the best 1 / `factor` of its candidates and gives them `factor` times the rows
   (Jamieson & Talwalkar 2016); the last round has all rows.
3. The number of rounds is that of scikit-learn's `HalvingGridSearchCV` with
   `min_resources="exhaust"`, except that the last round always has all rows.
4. Within the last round, a candidate can be eliminated between two folds: when its deficit per
   remaining fold exceeds the largest fold-to-fold variation of any candidate's gap to the leader.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def plan_rounds(
    n_candidates: int, n_rows: int, n_classes: int, n_folds: int, factor: int | None
) -> list[float]:
    """Return the share of the rows that each round uses; the last one is 1.

    Each round has at least two rows per class and fold.
    """
    if factor is None:
        return [1.0]
    min_rows = min(2 * n_folds * n_classes, n_rows)
    n_needed = 1 + _floor_log(n_candidates, factor)
    n_possible = 1 + _floor_log(n_rows / min_rows, factor)
    n_rounds = min(n_needed, n_possible)
    return [float(factor) ** (n + 1 - n_rounds) for n in range(n_rounds)]


def _floor_log(value: float, base: int) -> int:
    # NOTE: log(125, 5) is a little less than 3
    return int(math.log(value) / math.log(base) + 1e-9)


def keep_best(means: Sequence[float], factor: int) -> list[int]:
    """Return the positions of the best 1 / `factor` of the means, sorted; ties go to the first."""
    n_kept = -(-len(means) // factor)
    return sorted(np.argsort(-np.asarray(means), kind="stable")[:n_kept].tolist())


def find_eliminated(scores: Sequence[Sequence[float]], n_left: int) -> list[int]:
    """Return the positions of candidates that are unlikely to catch up with the leader.

    The leader has the best mean.  A candidate is eliminated if its deficit per remaining fold
    exceeds the largest fold-to-fold variation of any candidate's gap to the leader.

    Parameters
    ----------
    scores
        Scores of the candidates in the same folds, shape (n_candidates, n_completed).
    n_left
        Number of remaining folds.
    """
    fold_scores = np.asarray(scores)
    if fold_scores.shape[1] < 2 or n_left < 1:
        return []
    deficits = fold_scores[fold_scores.mean(axis=1).argmax()] - fold_scores
    variation = np.ptp(deficits, axis=1).max()
    return np.flatnonzero(deficits.sum(axis=1) > n_left * variation).tolist()
