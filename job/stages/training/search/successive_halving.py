"""Successive halving: rounds with fewer candidates and more rows each.

How it works
------------
1. The first round evaluates all candidates on few rows.
2. Each round keeps the best 1 / `factor` of its candidates and gives them `factor` times the rows
   (Jamieson & Talwalkar 2016); the last round has all rows.
3. The number of rounds is the same as in scikit-learn's `HalvingGridSearchCV` with
   `min_resources="exhaust"`.  Unlike there, the last round always has all rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def plan_rounds(
    n_candidates: int, n_rows: int, n_classes: int, n_folds: int, factor: int | None
) -> list[float]:
    """Return the share of the rows that each round uses; the last share is 1.

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
    """Return the positions of the best 1 / `factor` of the candidates, in ascending order.

    `means` has each candidate's mean score.  If scores are equal, the first ones are kept.
    """
    n_kept = -(-len(means) // factor)
    return sorted(np.argsort(-np.asarray(means), kind="stable")[:n_kept].tolist())
