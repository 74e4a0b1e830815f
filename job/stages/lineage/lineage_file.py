"""The lineage file of a version: keyed digests of the rows that a version was made from.

How it works
------------
1. The file is an array with entries of four kinds (`_Kind`).  The first entry has the id of the
   secret key and the number of the format.
2. There is an entry for each combination of leakage key, text, class and side of the split (train
   or test).  It has the number of rows, and a number for the group of the leakage key.
3. There is an entry for each normalized text and each template (a text with masked dates, ids and
   amounts) of the training rows, and for each word of the drift profile.
4. All digests are made with the same secret key, which is not stored in the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

import numpy as np
import pandas as pd

from job.contracts.arrays import Array, Strings
from job.contracts.dataset import Rows
from job.contracts.lineage_key import LineageKey
from job.stages.lineage.keyed_digests import keyed_digests
from job.stages.lineage.stored_array import read_vector

_FORMAT: Final = 1
_ENTRY: Final = np.dtype(
    [
        ("kind", "u1"),
        ("is_test", "u1"),
        ("digest", "<u8"),
        ("content", "<u8"),
        ("n_rows", "<u4"),
        ("group", "<u4"),
    ]
)


class _Kind(IntEnum):
    """What an entry stands for."""

    HEADER = 0  # digest: id of the key; content: format of the file
    ROWS = 1
    TEXT = 2
    WORD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Digests of the rows that a version was trained and evaluated on.

    Attributes
    ----------
    key_id
        Id of the secret key that all digests are made with.
    rows
        An entry for each combination of leakage key, class, text and side of the split, shape
        (n_entries,).  The fields are `digest` (of the leakage key), `content` (digest of class and
        text), `is_test`, `n_rows` and `group`.
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
        entries[0]["digest"], entries[0]["content"] = int(self.key_id, 16), _FORMAT
        for name in ("digest", "content", "is_test", "n_rows", "group"):
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
        entries = read_vector(data, _ENTRY)
        if not len(entries) or entries[0]["content"] != _FORMAT:
            raise ValueError("not a lineage file of this format")
        kinds = entries["kind"]
        rows = entries[kinds == _Kind.ROWS]
        if (rows["group"] >= len(rows)).any():
            raise ValueError("a group has a number that no row can have")
        return cls(
            key_id=f"{int(entries[0]['digest']):016x}",
            rows=rows,
            texts=entries["digest"][kinds == _Kind.TEXT],
            words=entries["digest"][kinds == _Kind.WORD],
        )


def trace_rows(train: Rows, test: Rows, key: LineageKey, *, sets: Sequence[Rows] = ()) -> Lineage:
    """Return the lineage of these training and test rows, with an empty array of words.

    Parameters
    ----------
    sets
        Challenge set and out-of-scope set.  Their rows count as test rows, because scores of them
        are published.
    """
    keys, contents, counts = _count_rows([train, test, *sets])
    rows = np.zeros(len(counts), _ENTRY)
    rows["kind"] = _Kind.ROWS
    rows["digest"] = digest_rows(keys, key)[counts["key"]]
    rows["content"] = keyed_digests("content", contents, key)[counts["content"]]
    for name in ("is_test", "n_rows", "group"):
        rows[name] = counts[name]
    rows = np.sort(rows, order=["digest", "content", "is_test"])
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


def _count_rows(sides: Sequence[Rows]) -> tuple[Array, list[str], pd.DataFrame]:
    """Count the rows of each leakage key, text, class and side.

    Returns
    -------
    keys, contents
        The distinct leakage keys, and the distinct pairs of class and text key as strings.
    counts
        Columns `key` and `content` (positions in `keys` and `contents`), `is_test`, `n_rows`, and
        `group`, a number for the key's person.
    """
    key, keys = _number([rows.leakage_keys for rows in sides])
    text, texts = _number([rows.text_keys for rows in sides])
    label, labels = _number([rows.y for rows in sides])
    side = np.repeat(np.arange(len(sides)), [len(rows) for rows in sides])
    table = pd.DataFrame({"key": key, "content": text * len(labels) + label, "is_test": side > 0})
    # training and test rows have common numbers of persons, other sets have their own
    person = pd.MultiIndex.from_arrays(
        [np.maximum(side, 1), np.concatenate([rows.persons for rows in sides])]
    )
    group = person[np.unique(key, return_index=True)[1]].factorize()[0]
    counts = table.value_counts(sort=False).rename("n_rows").reset_index()
    counts["content"], pairs = pd.factorize(counts["content"])
    contents = [f"{labels[pair % len(labels)]}\0{texts[pair // len(labels)]}" for pair in pairs]
    return keys, contents, counts.assign(group=group[counts["key"]])


def _number(sides: list[Strings]) -> tuple[Array, Array]:
    """Return the number of each row's string, on both sides together, and the distinct strings."""
    numbers, strings = pd.factorize(np.concatenate(sides))
    return numbers, np.asarray(strings)
