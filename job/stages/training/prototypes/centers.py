"""Centers of a class: rounded means of directions, each over a least number of groups.

How it works
------------
1. k-means (Lloyd 1982, started by k-means++) finds clusters among the distinct items of a class;
   the items of a group of n together weigh sqrt(n).
2. A cluster of too few groups borrows the nearest item of the nearest other group of its class,
   then of the next, until it has enough (microaggregation, Domingo-Ferrer and Mateo-Sanz 2002, with
   clusters that overlap).
3. A center is the mean of one mean direction a group, brought to length 1 and rounded: no group
   moves it more than another one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.preprocessing import normalize

from job.stages.training.prototypes.items import Items

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
        least = min(min_groups, n_groups)
        found += [_center(own, group, cluster == number, least) for number in np.unique(cluster)]
    return np.round(np.stack(found), _DECIMALS)


def _center(X: Array, group: Array, is_in: Array, min_groups: int) -> Array:
    """Return the direction of the mean over a cluster's groups, and over others if it needs some.

    Parameters
    ----------
    X, group
        The items of the class, and the group of each.
    is_in
        Mask of those in the cluster.
    """
    own, codes = np.unique(group[is_in], return_inverse=True)
    means = np.zeros((len(own), X.shape[1]))
    np.add.at(means, codes, X[is_in])
    means = normalize(means)
    n_more = min_groups - len(own)
    if n_more > 0:
        did_you_mean = np.argsort(-(X @ means.mean(axis=0)), kind="stable")
        did_you_mean = did_you_mean[~np.isin(group[did_you_mean], own)]
        first = np.sort(np.unique(group[did_you_mean], return_index=True)[1])[:n_more]
        means = np.concatenate([means, X[did_you_mean[first]]])
    center: Array = normalize(means.mean(axis=0)[None])[0]
    return center
