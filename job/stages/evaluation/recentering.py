"""Undo most of what standardizing a batch anew does, by the lengths of its restored rows.

How it works
------------
1. A batch that is standardized anew differs from one whose scalers were kept by a shift and a scale
   of each column. The shift matters: it is the class mix of the batch.
2. Rows e that the map of the table restores had length 1. With the shift d they have it again:
   `|e + d|^2 = 1`, so `2 e d + |d|^2 = 1 - |e|^2`, linear in d; the columns are centered over the
   batch, so that |d|^2 drops out. A ridge regression finds d, in three rounds, for the scales
   are not looked at.
3. Rows of a batch whose scalers were kept have length 1 already. The right side is zero, and so is
   the shift: nothing changes.

No label is used, nor anything of the training table but its map. docs/consumers.md has the same in
lines of NumPy, for the consumer has the batch.

Calibration on held-out groups of the upstream's 10,000 rows, batches with 85 % of one class, 3
salts, accuracy of a logistic regression on restored rows (scalers kept, standardized anew,
recentered)
     10 rows      0.983   0.711   0.964
     50 rows      0.983   0.661   0.992
    200 rows      0.985   0.649   0.994
The same for ridge terms from 0.03 to 1.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.model import TrainedModel

Array = npt.NDArray[Any]
_RIDGE: Final = 0.3  # of the mean squared length of the rows of the regression
_N_ROUNDS: Final = 3


def recenter(rows: Array) -> Array:
    """Return restored rows, shifted so that their lengths are about 1.

    Parameters
    ----------
    rows
        One batch, shape (n_rows, n_columns), as the map of the table restores it.
    """
    found = rows.astype(float)
    for _ in range(_N_ROUNDS):
        A = 2 * (found - found.mean(axis=0))
        missing = 1 - np.square(found).sum(axis=1)
        gram = A.T @ A
        ridge = _RIDGE * np.trace(gram) / len(found) + np.finfo(float).tiny
        gram[np.diag_indices_from(gram)] += ridge
        found += np.linalg.solve(gram, A.T @ missing)
    return found


def predict_recentered(model: TrainedModel, batches: list[Array]) -> Array:
    """Return the labels of batches that are recentered one by one, in the order of their rows.

    Parameters
    ----------
    model
        It takes embeddings alone, and restores them.
    batches
        Embeddings as the consumer has them, shape (n_rows, width) each.
    """
    *_, classifier = model.pipeline
    restoring = model.pipeline[0][:-1]
    rows = np.concatenate([recenter(restoring.transform(batch)) for batch in batches])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels: Array = classifier.predict(rows.astype(np.float32))
    return labels
