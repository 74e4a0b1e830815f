"""Find the rows of the table that are near-duplicates of the challenge set.

How it works
------------
1. The table, the official test set and the challenge set are searched together for groups of
   near-duplicates.
2. Near-duplicates are found by text or by embeddings.  If the challenge set lacks the texts or
   embeddings that are used, the groups are searched without the challenge set.  The challenge set
   is then compared with the table alone: by embeddings if both have embeddings, and otherwise by
   equal texts.
3. Rows of the table that share a near-duplicate group, a text or a leakage key with the challenge
   set are marked.  They are not used for training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.settings.split import SplitSpec
from job.stages.split.near_duplicates import Kind, find_near_duplicate_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedTables:
    """Rows of the table, the official test set and the challenge set, with near-duplicate groups.

    Attributes
    ----------
    challenge
        The challenge set.  Do not compare its group ids with those of the table, because they may
        come from different searches; use `is_near_challenge` instead.
    is_near_challenge
        Mask of the table's rows that share a near-duplicate group, a text or a leakage key with the
        challenge set; None without a challenge set.
    """

    rows: Rows
    official_test: Rows | None
    challenge: Rows | None
    is_near_challenge: Array | None


def number_near_duplicate_groups(
    rows: Rows,
    official_test: Rows | None,
    challenge: Rows | None,
    *,
    spec: SplitSpec,
    kind: Kind,
    executor: Executor,
) -> GroupedTables:
    """Find near-duplicate groups in the table, the official test set and the challenge set."""
    tables = [table for table in (rows, official_test) if table is not None]
    is_comparable = challenge is not None and _supports(challenge, kind)
    if challenge is not None and is_comparable:
        *numbered, challenge = find_near_duplicate_groups(
            [*tables, challenge], spec, kind, executor
        )
    else:
        numbered = find_near_duplicate_groups(tables, spec, kind, executor)
    is_near = None
    if challenge is not None and is_comparable:
        is_near = _find_near(numbered[0], challenge)
    elif challenge is not None:
        have_embeddings = rows.embeddings is not None and challenge.embeddings is not None
        table, challenge = find_near_duplicate_groups(
            [rows, challenge], spec, "embeddings" if have_embeddings else "none", executor
        )
        is_near = _find_near(table, challenge)
    return GroupedTables(
        rows=numbered[0],
        official_test=numbered[1] if official_test is not None else None,
        challenge=challenge,
        is_near_challenge=is_near,
    )


def _supports(rows: Rows, kind: Kind) -> bool:
    """Return whether the rows have the text or embeddings by which near-duplicates are found."""
    has = {"text": rows.templates is not None, "embeddings": rows.embeddings is not None}
    return has.get(kind, True)


def _find_near(table: Rows, challenge: Rows) -> Array:
    """Return a mask of the rows of `table` that are near-duplicates of rows of `challenge`.

    Such a row shares a group of near-duplicates, a text or a leakage key with a row of `challenge`.
    """
    assert table.near_duplicate_groups is not None and challenge.near_duplicate_groups is not None
    is_near: Array = np.isin(table.near_duplicate_groups, challenge.near_duplicate_groups)
    for keys, challenge_keys in (
        (table.text_keys, challenge.text_keys),
        (table.leakage_keys, challenge.leakage_keys),
    ):
        is_near |= pd.Index(keys, dtype=object).isin(challenge_keys)
    return is_near


def drop_near_challenge(rows: Rows, is_near: Array | None) -> Rows:
    """Drop the near-duplicates of the challenge set: the rows where `is_near` is true."""
    return rows if is_near is None else rows.take(~is_near)
