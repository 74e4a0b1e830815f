"""Find which rows were written by the same person, as far as the table shows.

How it works
------------
1. A person is a value of the group column.  The other rows are joined in the next steps.
2. Rows of one group of near-duplicates are of one person.
3. Two groups are of one person if their texts share a value that identifies a person
   (`job.stages.data.identifiers`), also by way of other groups: persons are connected components.
4. A value in more than 20 groups and in more than 1% of all groups, such as the address of a
   company, identifies no person.  A group with more than 20 values is a letter that many persons
   send.  Neither joins groups.

The values exist only while this module runs; rows keep the number of the person.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from job.contracts.arrays import Array, Ints, Strings
from job.contracts.dataset import Rows
from job.stages.data.identifiers import find_identifiers

_MAX_JOINED: Final = 20  # groups of a value, and values of a group
_MAX_SHARE: Final = 0.01  # of the groups


def number_persons(rows: Rows, texts: Strings | None) -> Ints:
    """Return the number of each row's person, from 0, shape (n_rows,).

    Parameters
    ----------
    rows
        Rows whose near-duplicates are grouped.
    texts
        Raw texts, shape (n_rows,), str or None; None if the table has no text.
    """
    groups = np.unique(rows.groups, return_inverse=True)[1].astype(np.int64)
    if texts is None or not len(rows):
        return groups
    index = np.flatnonzero(rows.leakage_keys == rows.text_keys)  # not in the group column
    pairs = _list_pairs(groups[index], texts[index])
    n_groups = int(groups.max()) + 1
    joining = _select_joining(pairs, n_groups)
    n_nodes = n_groups + int(pairs[1].max(initial=-1)) + 1
    links = (np.ones(joining.shape[1], bool), (joining[0], n_groups + joining[1]))
    graph = sparse.csr_matrix(links, shape=(n_nodes, n_nodes))
    _, persons = connected_components(graph, directed=False)
    persons_of_rows: Ints = np.unique(persons[groups], return_inverse=True)[1].astype(np.int64)
    return persons_of_rows


def _list_pairs(groups: Ints, texts: Strings) -> Array:
    """Return the distinct pairs of a group and a value in its texts, as numbers, shape (2, n)."""
    numbers: dict[str, int] = {}
    found = [
        (group, numbers.setdefault(value, len(numbers)))
        for group, text in zip(groups.tolist(), texts, strict=True)
        for value in sorted(find_identifiers(text or ""))
    ]
    return np.unique(np.array(found, np.int64).reshape(-1, 2).T, axis=1)


def _select_joining(pairs: Array, n_groups: int) -> Array:
    """Return the pairs whose value is in few groups, and whose group has few values."""
    n_values, n_holders = (np.bincount(side)[side] for side in pairs)
    max_holders = max(_MAX_JOINED, _MAX_SHARE * n_groups)
    return pairs[:, (n_values <= _MAX_JOINED) & (n_holders <= max_holders)]
