"""Centers of a class: rounded means of directions, each over a least number of groups.

How it works
------------
1. k-means (Lloyd 1982, started by k-means++) finds clusters among the distinct items of a class;
   the items of a group of n together weigh sqrt(n).
2. A cluster of too few groups borrows the nearest other groups of its class, whole ones, until it
   has enough (microaggregation, Domingo-Ferrer and Mateo-Sanz 2002, with clusters that overlap).
3. A center is the mean of one mean direction a group, brought to length 1 and rounded: no group
   moves it more than another one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.preprocessing import normalize

from job.stages.prototypes.items import Items

Array = npt.NDArray[Any]
_MAX_ITER: Final = 30  # labels hardly change after these; 300 are scikit-learn's default
_DECIMALS: Final = 3


def place_centers(
    X: Array, items: Items, n_centers: int, *, min_groups: int, random_state: int
) -> Array:
    """Place the centers of all classes.

    Parameters
    ----------
    X
        The items' values, shape (n_items, n_features); rows have length 1, or 0.
    n_centers
        Of a class, at most; one with fewer than `n_centers * min_groups` items gets fewer.
    min_groups
        Number of groups in each center; a class with fewer than that has one center over all of
        them.

    Returns
    -------
    centers
        Shape (n_found, n_features), rounded to 3 decimals; ordered by class.
    """
    found = []
    for label in np.unique(items.label):
        index = np.flatnonzero(items.label == label)
        own, group = X[index], np.unique(items.group[index], return_inverse=True)[1]
        n_groups = int(group.max()) + 1
        n_most = max(min(n_centers, len(own) // min_groups), 1) if n_groups > min_groups else 1
        model = KMeans(n_most, n_init=1, max_iter=_MAX_ITER, random_state=random_state)
        cluster = model.fit(own, sample_weight=items.weights[index]).labels_
        whole = _mean_directions(own, group, n_groups)
        for number in np.unique(cluster):
            is_in = cluster == number
            found.append(_center(own[is_in], group[is_in], whole, min_groups))
    return np.round(np.stack(found), _DECIMALS)


def _center(X: Array, group: Array, whole: Array, min_groups: int) -> Array:
    """Return the direction of the mean over a cluster's groups, and over others if it needs some.

    Parameters
    ----------
    X, group
        The cluster's items, and the group of each.
    whole
        The mean direction of each group of the class, shape (n_groups, n_features).
    """
    own, codes = np.unique(group, return_inverse=True)
    means = _mean_directions(X, codes, len(own))
    n_more = min(min_groups, len(whole)) - len(own)
    if n_more > 0:
        cosines = whole @ means.mean(axis=0)
        cosines[own] = -np.inf
        means = np.concatenate([means, whole[np.argsort(-cosines, kind="stable")[:n_more]]])
    center: Array = normalize(means.mean(axis=0)[None])[0]
    return center


def _mean_directions(X: Array, group: Array, n_groups: int) -> Array:
    """Return the direction of each group's mean, shape (n_groups, n_features)."""
    total = np.zeros((n_groups, X.shape[1]))
    np.add.at(total, group, X)
    means: Array = normalize(total)
    return means
