"""Compute the centers of each class; a center is a mean direction of several groups.

How it works
------------
1. k-means (Lloyd 1982, initialized by k-means++) clusters the items (distinct rows) of a class.  If
   a group has n items, their total weight is sqrt(n).
2. If a cluster has too few groups, it also gets the nearest items of other groups of the class, one
   item per group, nearest group first, until it has enough groups (microaggregation, Domingo-Ferrer
   and Mateo-Sanz 2002, with overlapping clusters).
3. The items of each group are averaged, and these means are scaled to length 1, so that all groups
   of a cluster have the same influence.  The mean of these scaled means, itself scaled to length 1,
   is the center.
4. Noise is added to the centers before they are published (`center_noise`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from sklearn.cluster import KMeans
from sklearn.preprocessing import normalize

from job.contracts.arrays import Array
from job.stages.training.prototypes.items import Items

_MAX_ITER: Final = 30  # labels hardly change afterwards; scikit-learn's default is 300


def place_centers(
    X: Array, items: Items, n_centers: int, *, min_groups: int, random_state: int
) -> tuple[Array, Array]:
    """Compute the centers of all classes from the items (rows without exact duplicates).

    Parameters
    ----------
    X
        The items' values, shape (n_items, n_features).  Each row has length 1 or consists of zeros.
    n_centers
        Maximum number of centers per class.  A class gets fewer centers if it has fewer than
        `n_centers * min_groups` items.
    min_groups
        Minimum number of groups per center.  A class with fewer groups has one center, which is
        computed from all its groups.

    Returns
    -------
    centers
        The centers, shape (n_centers_total, n_features), each of length 1; ordered by class.
    labels
        Class of each center, shape (n_centers_total,).
    """
    centers: list[Array] = []
    labels: list[int] = []
    for label in np.unique(items.label):
        index = np.flatnonzero(items.label == label)
        X_class, group = X[index], np.unique(items.group[index], return_inverse=True)[1]
        n_groups = int(group.max()) + 1
        max_clusters = max(min(n_centers, len(X_class) // min_groups), 1)
        n_clusters = max_clusters if n_groups > min_groups else 1
        model = KMeans(n_clusters, n_init=1, max_iter=_MAX_ITER, random_state=random_state)
        cluster = model.fit(X_class, sample_weight=items.weights[index]).labels_
        n_required = min(min_groups, n_groups)
        numbers = np.unique(cluster)
        centers += [_compute_center(X_class, group, cluster == n, n_required) for n in numbers]
        labels += [label] * len(numbers)
    return np.stack(centers), np.array(labels)


def _compute_center(X: Array, group: Array, is_member: Array, min_groups: int) -> Array:
    """Return the mean direction over the groups of a cluster.

    If the cluster has fewer than `min_groups` groups, the nearest other groups are added.

    Parameters
    ----------
    X, group
        Values of the items of the class, and group id of each item.
    is_member
        Mask of the items in the cluster.
    """
    member_groups, codes = np.unique(group[is_member], return_inverse=True)
    means = np.zeros((len(member_groups), X.shape[1]))
    np.add.at(means, codes, X[is_member])
    means = normalize(means)
    n_borrowed = min_groups - len(member_groups)
    if n_borrowed > 0:
        nearest = np.argsort(-(X @ means.mean(axis=0)), kind="stable")
        nearest = nearest[~np.isin(group[nearest], member_groups)]
        first = np.sort(np.unique(group[nearest], return_index=True)[1])[:n_borrowed]
        means = np.concatenate([means, X[nearest[first]]])
    center: Array = normalize(means.mean(axis=0)[None])[0]
    return center
