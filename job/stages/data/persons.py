"""Find which rows were written by the same person, as far as the table shows.

How it works
------------
1. A person is a value of the group column.  The other rows are joined in the next steps.
2. All rows of a group of near-duplicates belong to one person.
3. Two groups belong to one person if their texts share a value that identifies a person
   (`job.stages.data.identifiers`), also by way of other groups: persons are connected components.
4. A group with more than 20 values is a letter that many persons send.  Each row of the group with
   an identifying value then counts as a group of its own in step 3.
5. A value in more than 20 groups and in more than 1% of all groups, such as the address of a
   company, identifies no person.

The values exist only while this module runs; rows keep the number of the person.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from job.contracts.arrays import Array, Ints, Strings
from job.contracts.dataset import Rows
from job.stages.data.identifiers import find_identifiers

_MAX_JOINED: Final = 20  # values of a group, and groups of a value
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
    found = _find_values(texts, np.flatnonzero(rows.leakage_keys == rows.text_keys))
    n_groups = int(groups.max()) + 1
    n_values_of_group = np.bincount(_unique(groups[found[0]], found[1])[0], minlength=n_groups)
    is_shared_letter = (n_values_of_group > _MAX_JOINED)[groups]
    units = np.where(is_shared_letter, n_groups + np.arange(len(rows)), groups)
    joining = _select_identifying(_unique(units[found[0]], found[1]), n_groups)
    units = np.where(np.isin(units, joining[0]), units, groups)
    n_units = n_groups + len(rows)
    n_nodes = n_units + int(joining[1].max(initial=-1)) + 1
    links = (np.ones(joining.shape[1], bool), (joining[0], n_units + joining[1]))
    graph = sparse.csr_matrix(links, shape=(n_nodes, n_nodes))
    _, persons = connected_components(graph, directed=False)
    numbers: Ints = np.unique(persons[units], return_inverse=True)[1].astype(np.int64)
    return numbers


def count_holders(counts: Any, persons: Ints) -> Ints:
    """Return, for each column, the number of persons with a row that is not zero there.

    Parameters
    ----------
    counts
        Sparse matrix in CSR format, shape (n_rows, n_columns), without stored zeros.
    persons
        Number of each row's person, shape (n_rows,).
    """
    distinct, codes = np.unique(persons, return_inverse=True)
    if len(distinct) < len(persons):
        ones = (np.ones(len(persons), np.float32), (codes, np.arange(len(persons))))
        counts = sparse.csr_matrix(ones, shape=(len(distinct), len(persons))) @ counts
    n_persons: Ints = counts.getnnz(axis=0)
    return n_persons


def _find_values(texts: Strings, index: Ints) -> Array:
    """Return pairs of a row in `index` and the number of a value in its text, shape (2, n)."""
    numbers: dict[str, int] = {}
    found = [
        (row, numbers.setdefault(value, len(numbers)))
        for row, text in zip(index.tolist(), texts[index], strict=True)
        for value in find_identifiers(text or "")
    ]
    return np.array(found, np.int64).reshape(-1, 2).T


def _unique(units: Array, values: Array) -> Array:
    """Return the distinct pairs of a unit (a group or a single row) and a value, shape (2, n)."""
    n_values = int(values.max(initial=0)) + 1
    return np.stack(np.divmod(np.unique(units * n_values + values), n_values))


def _select_identifying(pairs: Array, n_groups: int) -> Array:
    """Return the pairs of a unit and a value without values that occur in many units."""
    n_units = np.bincount(pairs[1])[pairs[1]]
    return pairs[:, n_units <= max(_MAX_JOINED, _MAX_SHARE * n_groups)]
