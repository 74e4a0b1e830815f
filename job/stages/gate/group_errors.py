"""Numbers of rows and errors of each group; a run stores them for comparisons in later runs.

How it works
------------
1. A cross-fitted evaluation predicts every row with a model that was not trained on the row's
   group.  For each group, the run stores the number of rows by class and predicted class, and keyed
   digests of the group's texts (or of the group's values in the group column).  The run stores no
   text, and no prediction of a single row.
2. The next run pairs its groups with those of the champion's run.  The texts of a group can change
   between runs, so a group is paired with the champion's group that has the most texts in common.
3. Rows of a class count only if the group has rows of this class in both tables.  The champion's
   counts of a group and class are scaled, so that they sum to the number of rows in the new table.
4. The paired groups are resampled as in every comparison (`paired_bootstrap`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import sparse

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.identity import canonical_json
from job.contracts.lineage_key import LineageKey
from job.contracts.strict_json import parse_json
from job.stages.gate.paired_bootstrap import PairedCounts
from job.stages.lineage.keyed_digests import keyed_digests
from job.stages.metrics.group_sums import make_group_sums
from job.stages.metrics.predictions import Predictions

_Key = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
_Number = Annotated[int, Field(ge=0, lt=2**31)]


class _GroupErrorsFile(BaseModel):
    """The JSON file of `GroupErrors`.

    Keys are hexadecimal strings, because many JSON parsers read numbers as doubles, which cannot
    represent all 64-bit integers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_id: str
    classes: tuple[str, ...]
    keys: tuple[_Key, ...]
    key_groups: tuple[_Number, ...]
    groups: tuple[_Number, ...]
    y_true: tuple[_Number, ...]
    y_pred: tuple[_Number, ...]
    n_rows: tuple[Annotated[_Number, Field(gt=0)], ...]

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        entries = self.groups, self.y_true, self.y_pred, self.n_rows
        if len({len(column) for column in entries}) != 1 or len(self.keys) != len(self.key_groups):
            raise ValueError("the columns have different lengths")
        if len({*self.keys}) != len(self.keys):
            raise ValueError("a digest has two groups")
        if max((*self.y_true, *self.y_pred), default=0) >= max(len(self.classes), 1):
            raise ValueError("a class has a number that no class can have")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupErrors:
    """Numbers of rows by group, class and predicted class.

    There is an entry for each combination that occurs.

    Attributes
    ----------
    key_id
        Id of the secret key that the digests are made with.
    keys, key_groups
        Keyed digests of the groups' texts, sorted, and the group id of each digest; shape
        (n_keys,).
    groups
        Group id of each entry, from 0, shape (n_entries,).
    y_true, y_pred
        Class and predicted class of each entry, as positions in `classes`, shape (n_entries,).
    n_rows
        Number of rows of each entry, shape (n_entries,).
    """

    key_id: str
    classes: tuple[str, ...]
    keys: Array
    key_groups: Array
    groups: Array
    y_true: Array
    y_pred: Array
    n_rows: Array

    def to_bytes(self) -> bytes:
        """Return the content of the JSON file that the run stores."""
        file = _GroupErrorsFile(
            key_id=self.key_id,
            classes=self.classes,
            keys=tuple(f"{key:016x}" for key in self.keys.tolist()),
            key_groups=tuple(self.key_groups.tolist()),
            groups=tuple(self.groups.tolist()),
            y_true=tuple(self.y_true.tolist()),
            y_pred=tuple(self.y_pred.tolist()),
            n_rows=tuple(self.n_rows.tolist()),
        )
        return canonical_json(file.model_dump())

    @classmethod
    def from_bytes(cls, data: bytes) -> GroupErrors:
        """Read the output of `to_bytes`.

        Raises
        ------
        ValueError
            The bytes have another format: another release, or somebody else, wrote them.
        """
        file = _GroupErrorsFile.model_validate(parse_json(data))
        return cls(
            key_id=file.key_id,
            classes=file.classes,
            keys=np.array([int(key, 16) for key in file.keys], np.uint64),
            key_groups=np.array(file.key_groups, np.int64),
            groups=np.array(file.groups, np.int64),
            y_true=np.array(file.y_true, np.int64),
            y_pred=np.array(file.y_pred, np.int64),
            n_rows=np.array(file.n_rows, np.int64),
        )


def count_group_errors(predictions: Predictions, rows: Rows, key: LineageKey) -> GroupErrors:
    """Count the rows of each group by class and predicted class.

    Parameters
    ----------
    key
        Secret key of the digests.  Only errors with the same key can be paired.
    """
    groups = np.unique(rows.groups, return_inverse=True)[1]
    cells, n_rows = np.unique(
        np.stack([groups, predictions.y_true, predictions.y_pred], axis=1),
        axis=0,
        return_counts=True,
    )
    texts = rows.text_keys if rows.templates is None else rows.templates
    names = np.where(rows.leakage_keys != rows.text_keys, rows.leakage_keys, texts)
    codes, distinct = pd.factorize(names)
    first = np.unique(codes, return_index=True)[1]
    digests = keyed_digests("group", distinct, key)
    order = np.argsort(digests, kind="stable")
    return GroupErrors(
        key_id=key.id,
        classes=predictions.classes,
        keys=digests[order],
        key_groups=groups[first][order],
        groups=cells[:, 0],
        y_true=cells[:, 1],
        y_pred=cells[:, 2],
        n_rows=n_rows,
    )


def pair_group_errors(champion: GroupErrors, candidate: GroupErrors) -> PairedCounts:
    """Pair the groups of both runs, and count the rows of each paired group for both models.

    Rows of a class count only if the group has rows of this class in both tables.  Both runs must
    have the same classes, and digests that are made with the same key.
    """
    n_classes, key = len(candidate.classes), ["group", "y_true"]
    new = _as_frame(candidate)
    old = _as_frame(champion).drop(columns="group")
    old = old.merge(_match_groups(champion, candidate), on="old_group")
    totals = [frame.groupby(key)["n_rows"].sum() for frame in (old, new)]
    shared = pd.concat(totals, axis=1, join="inner", keys=["old", "new"]).reset_index()
    shared["row"] = pd.factorize(shared["group"], sort=True)[0]
    old, new = (frame.merge(shared, on=key) for frame in (old, new))
    old["n_rows"] *= old["new"] / old["old"]
    parts = [(shared["row"], shared["y_true"], shared["new"])]
    for frame, first in ((new, n_classes), (old, 3 * n_classes)):
        hits = frame[frame["y_true"] == frame["y_pred"]]
        parts.append((frame["row"], first + frame["y_pred"], frame["n_rows"]))
        parts.append((hits["row"], first + n_classes + hits["y_true"], hits["n_rows"]))
    row, column, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    n_groups = int(shared["row"].max()) + 1 if len(shared) else 0
    sums = sparse.csr_array((value.astype(float), (row, column)), shape=(n_groups, 5 * n_classes))
    n_true, n_predicted = (
        np.bincount(frame.drop_duplicates(["row", name])[name], minlength=n_classes)
        for frame, name in ((shared, "y_true"), (new, "y_pred"))
    )
    largest = shared.sort_values("new", kind="stable").drop_duplicates("row", keep="last")
    return PairedCounts(
        classes=candidate.classes,
        group_sums=make_group_sums(sums, largest.sort_values("row")["y_true"].to_numpy()),
        n_groups=(n_groups, n_true, n_predicted),
    )


def _as_frame(errors: GroupErrors) -> pd.DataFrame:
    columns = {"group": errors.groups, "y_true": errors.y_true, "y_pred": errors.y_pred}
    frame = pd.DataFrame({**columns, "n_rows": errors.n_rows.astype(float)})
    return frame.assign(old_group=frame["group"])


def _match_groups(champion: GroupErrors, candidate: GroupErrors) -> pd.DataFrame:
    """Pair each group of the candidate with the champion's group with the most texts in common.

    Each group is in at most one pair.
    """
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
