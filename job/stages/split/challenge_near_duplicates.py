"""Find the rows of the table that the challenge set gives away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from job.contracts.dataset import Rows
from job.contracts.ports import Executor
from job.contracts.settings.split import SplitSpec
from job.stages.split.near_duplicates import Kind, find_near_duplicate_groups

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedTables:
    """Rows of all tables with the numbers of their families.

    Attributes
    ----------
    challenge
        Its numbers may be of its own: what it shares with the table is in `is_near_challenge`.
    is_near_challenge
        Mask of the table's rows that share a family, a text or a group with the challenge set;
        None without one.
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
) -> NumberedTables:
    """Number the families of all tables' rows.

    Families are looked for in all tables together. Where the challenge set lacks what they are
    found by, the table keeps the families that it has without the set, and the set is compared
    with it by embeddings if both have some, else by equal texts.
    """
    given = [some for some in (rows, official_test) if some is not None]
    is_comparable = challenge is not None and _has(challenge, kind)
    if challenge is not None and is_comparable:
        *numbered, challenge = find_near_duplicate_groups([*given, challenge], spec, kind, executor)
    else:
        numbered = find_near_duplicate_groups(given, spec, kind, executor)
    is_near = None
    if challenge is not None and is_comparable:
        is_near = _find_near(numbered[0], challenge)
    elif challenge is not None:
        both = rows.embeddings is not None and challenge.embeddings is not None
        other, challenge = find_near_duplicate_groups(
            [rows, challenge], spec, "embeddings" if both else "none", executor
        )
        is_near = _find_near(other, challenge)
    return NumberedTables(
        rows=numbered[0],
        official_test=numbered[1] if official_test is not None else None,
        challenge=challenge,
        is_near_challenge=is_near,
    )


def _has(rows: Rows, kind: Kind) -> bool:
    """Return whether the rows have what families are found by."""
    has = {"text": rows.templates is not None, "embeddings": rows.embeddings is not None}
    return has.get(kind, True)


def _find_near(table: Rows, challenge: Rows) -> Array:
    """Return a mask of the table's rows that share a family, a text or a group with the set."""
    assert (
        table.near_duplicate_groups is not None and challenge.near_duplicate_groups is not None
    )  # just numbered
    is_near: Array = np.isin(table.near_duplicate_groups, challenge.near_duplicate_groups)
    for mine, theirs in (
        (table.text_keys, challenge.text_keys),
        (table.leakage_keys, challenge.leakage_keys),
    ):
        is_near |= pd.Index(mine, dtype=object).isin(theirs)
    return is_near


def without_near(rows: Rows, is_near: Array | None) -> Rows:
    """Return the rows that may be trained on."""
    return rows if is_near is None else rows.take(~is_near)
