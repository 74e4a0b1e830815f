"""The lineage file of a version: keyed digests of the rows that a version was made from.

How it works
------------
1. Each entry of the array is one of four kinds (`_Kind`).  The first entry names the key and the
   format.
2. There is an entry for each leakage key, class and side of the split, with the number of rows and
   a number for the key's group.  If a group column gives the key, there is an entry for each text.
3. There is an entry for each normalized text and each template of the training rows, and for each
   word of the drift profile.
4. All digests are made with the same key, which is not stored in the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.lineage_key import LineageKey
from job.stages.lineage.keyed_digests import keyed_digests

_FORMAT: Final = 1
_ENTRY: Final = np.dtype(
    [
        ("kind", "u1"),
        ("is_test", "u1"),
        ("digest", "<u8"),
        ("label", "<u8"),
        ("n_rows", "<u4"),
        ("group", "<u4"),
    ]
)


class _Kind(IntEnum):
    """What an entry stands for."""

    HEADER = 0  # digest: id of the key; label: format of the file
    ROWS = 1
    TEXT = 2
    WORD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Digests of the rows that a version was trained and evaluated on.

    Attributes
    ----------
    key_id
        Id of the key of all digests.
    rows
        Entries of leakage keys, shape (n_entries,), with the fields `digest` (of the leakage key),
        `label` (digest of the class, and of the text if a group column gives the key), `is_test`,
        `n_rows` and `group`.
    texts
        Sorted digests of the normalized texts and templates of training rows, uint64.
    words
        Sorted digests of the words of the drift profile, uint64.
    """

    key_id: str
    rows: Array
    texts: Array
    words: Array

    @property
    def trained_on(self) -> Array:
        """Sorted digests of the leakage keys, texts and templates of the training rows."""
        digests = self.rows["digest"][self.rows["is_test"] == 0]
        return np.union1d(digests, self.texts)

    def to_bytes(self) -> bytes:
        """Return the content of the file: a structured array in NumPy's format."""
        n_each = [1, len(self.rows), len(self.texts), len(self.words)]
        entries = np.zeros(sum(n_each), _ENTRY)
        entries["kind"] = np.repeat(list(_Kind), n_each)
        entries[0]["digest"], entries[0]["label"] = int(self.key_id, 16), _FORMAT
        for name in ("digest", "label", "is_test", "n_rows", "group"):
            entries[name][entries["kind"] == _Kind.ROWS] = self.rows[name]
        entries["digest"][entries["kind"] == _Kind.TEXT] = self.texts
        entries["digest"][entries["kind"] == _Kind.WORD] = self.words
        stream = io.BytesIO()
        np.save(stream, entries, allow_pickle=False)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the output of `to_bytes`.

        Raises
        ------
        ValueError
            The bytes are not a lineage file, or a later release wrote it in another format.
        """
        entries = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
        if entries.dtype != _ENTRY or not len(entries) or entries[0]["label"] != _FORMAT:
            raise ValueError("not a lineage file of this format")
        kinds = entries["kind"]
        return cls(
            key_id=f"{int(entries[0]['digest']):016x}",
            rows=entries[kinds == _Kind.ROWS],
            texts=entries["digest"][kinds == _Kind.TEXT],
            words=entries["digest"][kinds == _Kind.WORD],
        )


def trace_rows(train: Rows, test: Rows, key: LineageKey) -> Lineage:
    """Return the lineage of these training and test rows, without words."""
    keys, labels, counts = _count_rows(train, test)
    rows = np.zeros(len(counts), _ENTRY)
    rows["kind"] = _Kind.ROWS
    rows["digest"] = digest_rows(keys, key)[counts["key"]]
    rows["label"] = keyed_digests("label", labels, key)[counts["label"]]
    for name in ("is_test", "n_rows", "group"):
        rows[name] = counts[name]
    rows = np.sort(rows, order=["digest", "label", "is_test"])
    rows["group"] = pd.factorize(rows["group"])[0]  # the order of the table is not kept
    templates = () if train.templates is None else train.templates
    texts = {*train.text_keys, *templates} - set(train.leakage_keys)
    return Lineage(
        key_id=key.id,
        rows=rows,
        texts=np.sort(digest_rows(texts, key)),
        words=np.array([], np.uint64),
    )


def digest_rows(keys: Iterable[str], key: LineageKey) -> Array:
    """Return the digests of leakage keys, normalized texts or templates, as uint64."""
    return keyed_digests("row", keys, key)


def _count_rows(train: Rows, test: Rows) -> tuple[Array, Array, pd.DataFrame]:
    """Count the rows of each leakage key, class and side.

    Returns
    -------
    keys, labels
        The distinct leakage keys and classes.
    counts
        Columns `key` and `label` (positions in `keys` and `labels`), `is_test`, `n_rows`, and
        `group`, a number for the key's group.
    """
    sides = [_as_frame(rows).assign(is_test=side) for side, rows in enumerate((train, test))]
    table = pd.concat(sides, ignore_index=True)
    table["key"], keys = pd.factorize(table["key"])
    table["label"], labels = pd.factorize(table["label"])
    groups = pd.factorize(table.drop_duplicates("key")["group"])[0]
    counts = table.groupby(["key", "label", "is_test"]).size().rename("n_rows").reset_index()
    return np.asarray(keys), np.asarray(labels), counts.assign(group=groups[counts["key"]])


def _as_frame(rows: Rows) -> pd.DataFrame:
    """Return leakage key, class and group of each row; a group is a key or a number.

    If a group column gives the key, the text is part of the class: otherwise nobody would notice
    that a text was replaced.
    """
    is_grouped = rows.leakage_keys != rows.text_keys
    groups, labels = rows.leakage_keys.copy(), rows.y.copy()
    labels[is_grouped] += "\0" + rows.text_keys[is_grouped]
    if rows.near_duplicate_groups is not None:
        groups[~is_grouped] = rows.near_duplicate_groups[~is_grouped]
    return pd.DataFrame({"key": rows.leakage_keys, "label": labels, "group": groups})
