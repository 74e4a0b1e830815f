"""Rows and errors of each group, which a run keeps for the comparisons of later runs.

How it works
------------
1. A cross-fitted evaluation predicts every row by models that have not seen its group.  What is
   kept of it is the number of rows of each group by class and predicted class, under a salted
   digest of the group: no text, and no prediction of a single row.
2. The next run pairs its own numbers with those of the champion's run, group by group.  Rows count
   where both tables hold their group with their class; each group and class has tonight's number of
   rows, and the champion's errors in proportion.
3. The paired groups are drawn again as in every comparison (`paired_bootstrap`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from job.contracts.dataset import Rows
from job.contracts.digest import canonical_json
from job.stages.gate.paired_bootstrap import PairedCounts
from job.stages.holdout import digest_groups
from job.stages.predictions import Predictions
from job.stages.resampling import make_units

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupErrors:
    """Rows by group, class and predicted class; one entry for each triple that occurs.

    Attributes
    ----------
    groups
        Salted digest of each entry's group, shape (n_entries,), uint64, sorted.
    y_true, y_pred
        Positions in `classes`, shape (n_entries,).
    n_rows
        Shape (n_entries,).
    """

    classes: tuple[str, ...]
    groups: Array
    y_true: Array
    y_pred: Array
    n_rows: Array

    def to_bytes(self) -> bytes:
        """Write them as JSON; the digests are hexadecimal, for doubles cannot hold them."""
        return canonical_json(
            {
                "classes": list(self.classes),
                "groups": [f"{group:016x}" for group in self.groups.tolist()],
                "y_true": self.y_true.tolist(),
                "y_pred": self.y_pred.tolist(),
                "n_rows": self.n_rows.tolist(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> GroupErrors:
        """Read what `to_bytes` has written; the digest of the bytes has been compared."""
        content = json.loads(data)
        return cls(
            classes=tuple(content["classes"]),
            groups=np.array([int(group, 16) for group in content["groups"]], np.uint64),
            **{name: np.array(content[name], np.int64) for name in ("y_true", "y_pred", "n_rows")},
        )


def count_group_errors(found: Predictions, rows: Rows, salt: str) -> GroupErrors:
    """Count the rows of each group by class and predicted class."""
    groups = np.unique(rows.units, return_inverse=True)[1]
    digests = digest_groups(rows, groups, int(groups.max(initial=-1)) + 1, salt)
    cells, n_rows = np.unique(
        np.stack([groups, found.y_true, found.y_pred], axis=1), axis=0, return_counts=True
    )
    order = np.lexsort((cells[:, 2], cells[:, 1], digests[cells[:, 0]]))
    cells, n_rows = cells[order], n_rows[order]
    return GroupErrors(
        classes=found.classes,
        groups=digests[cells[:, 0]],
        y_true=cells[:, 1],
        y_pred=cells[:, 2],
        n_rows=n_rows,
    )


def pair_group_errors(champion: GroupErrors, candidate: GroupErrors) -> PairedCounts:
    """Return the counts of both runs in the groups and classes that both tables hold.

    The classes of both are the same.
    """
    n, key = len(candidate.classes), ["group", "y_true"]
    old, new = (_as_frame(some) for some in (champion, candidate))
    totals = [some.groupby(key)["n_rows"].sum() for some in (old, new)]
    shared = pd.concat(totals, axis=1, join="inner", keys=["old", "new"]).reset_index()
    shared["row"] = pd.factorize(shared["group"], sort=True)[0]
    old, new = (some.merge(shared, on=key) for some in (old, new))
    old["n_rows"] *= old["new"] / old["old"]
    parts = [(shared["row"], shared["y_true"], shared["new"])]
    for some, first in ((new, n), (old, 3 * n)):
        hits = some[some["y_true"] == some["y_pred"]]
        parts.append((some["row"], first + some["y_pred"], some["n_rows"]))
        parts.append((hits["row"], first + n + hits["y_true"], hits["n_rows"]))
    row, column, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    n_groups = int(shared["row"].max()) + 1 if len(shared) else 0
    sums = sparse.csr_array((value.astype(float), (row, column)), shape=(n_groups, 5 * n))
    n_true, n_predicted = (
        np.bincount(some.drop_duplicates(["row", name])[name], minlength=n)
        for some, name in ((shared, "y_true"), (new, "y_pred"))
    )
    largest = shared.sort_values("new", kind="stable").drop_duplicates("row", keep="last")
    return PairedCounts(
        classes=candidate.classes,
        units=make_units(sums, largest.sort_values("row")["y_true"].to_numpy()),
        n_groups=(n_groups, n_true, n_predicted),
    )


def _as_frame(some: GroupErrors) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": some.groups,
            "y_true": some.y_true,
            "y_pred": some.y_pred,
            "n_rows": some.n_rows.astype(float),
        }
    )
