"""Simulate restandardized batches: few groups, another class mix, and rescaled columns.

A restandardized batch is a batch of embeddings that was standardized on its own rows.

How it works
------------
1. A random part of the groups is selected, so that a batch contains few templates.
2. The rows of the batch are drawn from the selected groups with replacement.  Most rows have one
   class; the batches take turns over the classes.
3. The columns of the batch are shifted and scaled to the mean and deviation of the complete table,
   as if the batch had been standardized separately.
4. A third of the rows is kept; rows of large groups are less likely to be kept.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from job.contracts.arrays import Array

N_KEPT_ROWS: Final = 100  # of each batch
N_BATCHES: Final = 400
_BATCH_ROWS: Final = 300
_DOMINANT_SHARES: Final = (0.85, 0.7)  # share of one class in a batch
_GROUP_SHARES: Final = (0.03, 0.3)  # bounds of the share of the table's groups in a batch
_MIN_CLASS_ROWS: Final = 5  # rows of each class that the selected groups must have
_N_TRIES: Final = 20


def draw_restandardized_batches(
    X: Array, codes: Array, groups: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw batches that have few groups and another class mix, and rescale their columns.

    Each column of a batch is rescaled to the mean and standard deviation of this column in `X`.

    Parameters
    ----------
    X
        Shape (n_samples, n_features).
    codes, groups
        Class and group of each row, as numbers from 0, shape (n_samples,).

    Returns
    -------
    rows
        The sampled rows of all batches, restandardized, shape (n_rows, n_features).
    index
        Position in `X` of each of these rows, shape (n_rows,).
    """
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    weights = np.bincount(groups)[groups] ** -0.5
    rows = np.empty((N_BATCHES * N_KEPT_ROWS, X.shape[1]), np.float32)
    indices = np.empty(len(rows), int)
    for number in range(N_BATCHES):
        index = _draw_batch(number, codes, groups, rng)
        probabilities = weights[index] / weights[index].sum()
        kept = rng.choice(len(index), N_KEPT_ROWS, p=probabilities)
        batch = X[index]
        batch_deviation = batch.std(axis=0)
        block = slice(number * N_KEPT_ROWS, (number + 1) * N_KEPT_ROWS)
        scale = deviation / np.where(batch_deviation > 0, batch_deviation, 1)
        rows[block] = (batch[kept] - batch.mean(axis=0)) * scale + mean
        indices[block] = index[kept]
    return rows, indices


def _draw_batch(number: int, codes: Array, groups: Array, rng: np.random.Generator) -> Array:
    """Return the row positions of batch `number`; most are of class `number % n_classes`."""
    n_classes = int(codes.max()) + 1
    candidates = _choose_rows(codes, groups, n_classes, rng)
    share = rng.choice(_DOMINANT_SHARES)
    weights = np.full(n_classes, (1 - share) / (n_classes - 1))
    weights[number % n_classes] = share
    counts = rng.multinomial(_BATCH_ROWS, weights)
    parts = [
        rng.choice(candidates[codes[candidates] == code], n) for code, n in enumerate(counts) if n
    ]
    return np.concatenate(parts)


def _choose_rows(codes: Array, groups: Array, n_classes: int, rng: np.random.Generator) -> Array:
    """Return the positions of the rows of randomly selected groups.

    If the selected groups have too few rows of a class, the selection is repeated.  If several
    selections fail, the positions of all rows are returned.
    """
    low, high = _GROUP_SHARES
    for _ in range(_N_TRIES):
        is_selected = rng.random(int(groups.max()) + 1) < rng.uniform(low, high)
        index = np.flatnonzero(is_selected[groups])
        if np.bincount(codes[index], minlength=n_classes).min() >= _MIN_CLASS_ROWS:
            return index
    return np.arange(len(codes))
