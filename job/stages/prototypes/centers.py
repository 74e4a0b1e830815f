"""Centers of a class: rounded means of directions, each over a least number of groups.

How it works
------------
1. k-means (Lloyd 1982, started by k-means++) finds clusters among the distinct items of a class;
   the items of a group of n together weigh sqrt(n).
2. The cluster with the fewest groups is dissolved, and its items go to the nearest of the others,
   until each has enough groups or one is left.
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
) -> tuple[Array, Array]:
    """Place the centers of all classes.

    Parameters
    ----------
    X
        The items' values, shape (n_items, n_features); rows have length 1, or 0.
    n_centers
        Of a class, at most; one with few groups gets fewer.
    min_groups
        Number of groups in each center; a class with fewer than that has one center over all of
        them.

    Returns
    -------
    centers
        Shape (n_found, n_features), rounded to 3 decimals; ordered by class.
    label
        The class of each center, shape (n_found,).
    """
    found, labels = [], []
    for label in np.unique(items.label):
        index = np.flatnonzero(items.label == label)
        _, group = np.unique(items.group[index], return_inverse=True)
        own = X[index]
        n_most = max(min(n_centers, (int(group.max()) + 1) // min_groups), 1)
        model = KMeans(n_most, n_init=1, max_iter=_MAX_ITER, random_state=random_state)
        model.fit(own, sample_weight=items.weights[index])
        cluster = _dissolve(own, model.labels_, model.cluster_centers_, group, min_groups)
        for number in np.unique(cluster):
            is_in = cluster == number
            found.append(_mean_of_groups(own[is_in], group[is_in]))
            labels.append(label)
    return np.round(np.stack(found), _DECIMALS), np.array(labels)


def _dissolve(
    X: Array, cluster: Array, means: Array, group: Array, min_groups: int
) -> npt.NDArray[np.int64]:
    """Return the cluster of each item once those of too few groups have gone."""
    cluster = cluster.astype(np.int64)
    left = np.unique(cluster)
    while len(left) > 1:
        n_groups = np.array([len(np.unique(group[cluster == number])) for number in left])
        smallest = int(n_groups.argmin())
        if n_groups[smallest] >= min_groups:
            break
        homeless = np.flatnonzero(cluster == left[smallest])
        left = np.delete(left, smallest)
        half_squares = np.einsum("nd,nd->n", means[left], means[left]) / 2
        cluster[homeless] = left[(X[homeless] @ means[left].T - half_squares).argmax(axis=1)]
    return cluster


def _mean_of_groups(X: Array, group: Array) -> Array:
    """Return the direction of the mean of the groups' mean directions, shape (n_features,)."""
    _, codes = np.unique(group, return_inverse=True)
    means = np.zeros((int(codes.max()) + 1, X.shape[1]))
    np.add.at(means, codes, X)
    mean: Array = normalize(normalize(means).mean(axis=0)[None])[0]
    return mean
