"""Rows and errors of each group, which a run keeps for the comparisons of later runs.

How it works
------------
1. A cross-fitted evaluation predicts every row by models that have not seen its group.  What is
   kept of it is the number of rows of each group by class and predicted class, and salted digests
   of the texts (or of the group column's values) that the group holds: no text, and no prediction
   of a single row.
2. The next run pairs its own numbers with those of the champion's run.  A group is the champion's
   group with which it shares most texts; texts come and go between two nights.  Rows count where
   the group has their class in both tables; each group and class has tonight's number of rows, and
   the champion's errors in proportion.
3. The paired groups are drawn again as in every comparison (`paired_bootstrap`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import sparse

from job.contracts.dataset import Rows
from job.contracts.identity import canonical_json
from job.stages.data.leakage_keys import salted_digests
from job.stages.gate.paired_bootstrap import PairedCounts
from job.stages.metrics.group_bootstrap import make_group_sums
from job.stages.metrics.predictions import Predictions

Array = np.ndarray[Any, Any]
_SALT: Final = "group errors"  # that of the split may change from run to run
_NUMBERS: Final = ("key_groups", "groups", "y_true", "y_pred", "n_rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupErrors:
    """Rows by group, class and predicted class; one entry for each triple that occurs.

    Attributes
    ----------
    keys, key_groups
        Salted digests of what the groups hold, sorted, and the group of each; shape (n_keys,).
    groups
        Number of each entry's group, shape (n_entries,).
    y_true, y_pred
        Positions in `classes`, shape (n_entries,).
    n_rows
        Shape (n_entries,).
    """

    classes: tuple[str, ...]
    keys: Array
    key_groups: Array
    groups: Array
    y_true: Array
    y_pred: Array
    n_rows: Array

    def to_bytes(self) -> bytes:
        """Write them as JSON; the digests are hexadecimal, for doubles cannot hold them."""
        content: dict[str, Any] = {name: getattr(self, name).tolist() for name in _NUMBERS}
        keys = [f"{key:016x}" for key in self.keys.tolist()]
        return canonical_json({**content, "keys": keys, "classes": list(self.classes)})

    @classmethod
    def from_bytes(cls, data: bytes) -> GroupErrors:
        """Read what `to_bytes` has written; the digest of the bytes has been compared."""
        content = json.loads(data)
        return cls(
            classes=tuple(content["classes"]),
            keys=np.array([int(key, 16) for key in content["keys"]], np.uint64),
            **{name: np.array(content[name], np.int64) for name in _NUMBERS},
        )


def count_group_errors(found: Predictions, rows: Rows) -> GroupErrors:
    """Count the rows of each group by class and predicted class."""
    groups = np.unique(rows.groups, return_inverse=True)[1]
    cells, n_rows = np.unique(
        np.stack([groups, found.y_true, found.y_pred], axis=1), axis=0, return_counts=True
    )
    texts = rows.text_keys if rows.templates is None else rows.templates
    names = np.where(rows.leakage_keys != rows.text_keys, rows.leakage_keys, texts)
    codes, distinct = pd.factorize(names)
    first = np.unique(codes, return_index=True)[1]
    digests = salted_digests("group", distinct, _SALT)
    order = np.argsort(digests, kind="stable")
    return GroupErrors(
        classes=found.classes,
        keys=digests[order],
        key_groups=groups[first][order],
        groups=cells[:, 0],
        y_true=cells[:, 1],
        y_pred=cells[:, 2],
        n_rows=n_rows,
    )


def pair_group_errors(champion: GroupErrors, candidate: GroupErrors) -> PairedCounts:
    """Return the counts of both runs in the groups and classes that both tables hold.

    The classes of both are the same.
    """
    n, key = len(candidate.classes), ["group", "y_true"]
    new = _as_frame(candidate)
    old = _as_frame(champion).drop(columns="group")
    old = old.merge(_match_groups(champion, candidate), on="old_group")
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
        group_sums=make_group_sums(sums, largest.sort_values("row")["y_true"].to_numpy()),
        n_groups=(n_groups, n_true, n_predicted),
    )


def _as_frame(some: GroupErrors) -> pd.DataFrame:
    columns = {"group": some.groups, "y_true": some.y_true, "y_pred": some.y_pred}
    frame = pd.DataFrame({**columns, "n_rows": some.n_rows.astype(float)})
    return frame.assign(old_group=frame["group"])


def _match_groups(champion: GroupErrors, candidate: GroupErrors) -> pd.DataFrame:
    """Pair the groups that share most keys; each is in one pair at most."""
    _, old, new = np.intersect1d(
        champion.keys, candidate.keys, assume_unique=True, return_indices=True
    )
    pairs = pd.DataFrame(
        {"old_group": champion.key_groups[old], "group": candidate.key_groups[new]}
    )
    n_shared = pairs.value_counts().rename("n_shared").reset_index()
    order = ["n_shared", "group", "old_group"]
    n_shared = n_shared.sort_values(order, ascending=[False, True, True])
    best = n_shared.drop_duplicates("group").drop_duplicates("old_group")
    return best[["old_group", "group"]]
