"""Count the groups by which two tables differ, from the lineage (row digests) of both.

Rows with the same leakage key belong to one group, which a split keeps together.  A group can have
several leakage keys.

How it works
------------
1. For each leakage key, rows are counted by class and text, over training and test rows together.
   The key has changed if one of these counts differs between the two tables.
2. The groups of both tables that share a leakage key are linked; linked groups count as one.
3. A linked group has changed if one of its leakage keys has changed.
4. The same is counted for texts with their class, whatever their leakage keys are: a group column
   can have new ids for the same customers.  The smaller number counts.

No key changes if only the settings, the release or the embeddings of the texts are different.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from job.contracts.arrays import Array
from job.stages.lineage.lineage_file import Lineage


def count_changed_groups(before: Lineage, after: Lineage) -> int:
    """Return the number of groups that were added, removed or changed between two tables.

    Raises
    ------
    ValueError
        The digests were made with different keys, so they cannot be compared.
    """
    if before.key_id != after.key_id:
        raise ValueError("the digests of the two tables were made with different keys")
    tables = before.rows, after.rows
    n_changed = _count_changed(*tables, ["digest", "content"])
    return n_changed and min(n_changed, _count_changed(*tables, ["content"]))


def _count_changed(before: Array, after: Array, names: list[str]) -> int:
    """Return the number of linked groups that changed; the first of `names` identifies rows.

    The rows are counted by all fields in `names`.
    """
    counts = [_count(rows, names) for rows in (before, after)]
    both = pd.concat(counts, axis=1, keys=["before", "after"]).fillna(0)
    changed = both.index[both["before"] != both["after"]].get_level_values(names[0])
    if not len(changed):
        return 0
    return int(_link_groups(before, after, names[0]).loc[changed.unique()].nunique())


def _count(rows: Array, names: list[str]) -> pd.Series[int]:
    """Return the number of rows of each combination of the fields in `names`."""
    return (
        pd.DataFrame({name: rows[name] for name in (*names, "n_rows")})
        .groupby(names)["n_rows"]
        .sum()
    )


def _link_groups(before: Array, after: Array, name: str) -> pd.Series[int]:
    """Return the number of the linked group of each value of a field in the two tables."""
    n_before = len(before)  # there are at least as many entries as groups
    n_nodes = n_before + len(after)
    old = pd.Series(before["group"].astype(np.int64), index=before[name])
    new = pd.Series(after["group"].astype(np.int64) + n_before, index=after[name])
    old, new = (nodes[~nodes.index.duplicated()] for nodes in (old, new))
    shared = old.index.intersection(new.index)
    links = sparse.coo_array(
        (np.ones(len(shared)), (old[shared], new[shared])), shape=(n_nodes, n_nodes)
    )
    linked = connected_components(links, directed=False)[1]
    nodes = pd.concat([old, new.drop(shared)])
    return pd.Series(linked[nodes], index=nodes.index)
