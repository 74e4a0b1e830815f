"""Distinct items of a table: its rows without exact duplicates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from job.contracts.arrays import Array

_N_BYTES: Final = 16  # of a row's digest; collision probability 10**-21 among 10**9 rows


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroups:
    """The groups of a model's training rows.

    Attributes
    ----------
    group
        Group id of each row, shape (n_samples,).
    min_groups
        Minimum number of groups from which each number in the published model is computed.
    """

    group: Array
    min_groups: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Distinct rows.  Of the rows with equal class, group and values, only the first is kept.

    Attributes
    ----------
    rows
        Positions of the rows, ascending, shape (n_items,).
    label
        Class of each item, as a number from 0, shape (n_items,).
    group
        Group id of each item, from 0, shape (n_items,).
    weights
        1 / sqrt(n) for an item whose group has n items, shape (n_items,).  In clustering, a group
        of 100 items then has a total weight of 10.
    """

    rows: Array
    label: Array
    group: Array
    weights: Array


def find_items(X: Array, codes: Array, group: Array) -> Items:
    """Return the distinct items of a dense matrix.

    Parameters
    ----------
    X
        Shape (n_samples, n_features), in C order.
    codes
        The class of each row, as a number from 0, shape (n_samples,).
    group
        Group id of each row, shape (n_samples,).
    """
    digests = [hashlib.blake2b(row, digest_size=_N_BYTES).digest() for row in X]
    _, group = np.unique(group, return_inverse=True)
    first: dict[tuple[int, int, bytes], int] = {}
    keys = zip(codes.tolist(), group.tolist(), digests, strict=True)
    for row, key in enumerate(keys):
        first.setdefault(key, row)
    rows = np.fromiter(first.values(), int)
    n_items = np.bincount(group[rows])
    return Items(
        rows=rows,
        label=codes[rows],
        group=group[rows],
        weights=n_items[group[rows]] ** -0.5,
    )
