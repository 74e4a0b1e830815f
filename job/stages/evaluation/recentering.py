"""Recenter a restandardized batch by the lengths of its restored rows.

How it works
------------
1. A restandardized batch was standardized on its own rows.  Compared with the same batch scaled by
   the table's scalers, each column is shifted and scaled.  The shift matters most: it depends on
   the class mix of the batch.
2. Embeddings had length 1 before they were standardized.  The model's affine map restores this
   length for the table's scaling.  In a restandardized batch, a mapped row e has length 1 once the
   shift d is added: `|e + d|^2 = 1`, so `2 e d + |d|^2 = 1 - |e|^2`.  All rows have the same |d|^2.
   Subtracting the mean equation of the batch removes |d|^2, and the equations become linear in d.
3. A ridge regression over the rows of the batch estimates d.  The estimate is only approximate,
   because it ignores the scales of the columns.  The estimation is repeated on the shifted rows,
   three times in total.
4. If a batch was scaled with the table's scalers, its restored rows already have length 1.  The
   right side of the equation is zero, so the shift is zero and the batch does not change.

Neither labels nor training rows are used, only the table's map.  docs/consumers.md contains the
same algorithm in a few lines of NumPy, for consumers that receive restandardized batches.

Measured accuracy of a logistic regression on restored rows.  The batches have 85% of one class, and
were drawn from three hold-outs of a table of 10,000 rows.  The columns are: batches scaled by the
table's scalers, restandardized batches, and restandardized batches after recentering.
     10 rows      0.983   0.711   0.964
     50 rows      0.983   0.661   0.992
    200 rows      0.985   0.649   0.994
Ridge terms from 0.03 to 1 give the same results.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from sklearn.pipeline import Pipeline

from job.contracts.arrays import Array
from job.contracts.model import TrainedModel

_RIDGE: Final = 0.3  # relative to the mean squared length of the regression's rows
_N_ROUNDS: Final = 3


def recenter(rows: Array) -> Array:
    """Return the rows of a restored batch, shifted so that their lengths are about 1.

    Parameters
    ----------
    rows
        One batch, restored by the table's map, shape (n_rows, n_columns).
    """
    shifted = rows.astype(float)
    for _ in range(_N_ROUNDS):
        A = 2 * (shifted - shifted.mean(axis=0))
        residuals = 1 - np.square(shifted).sum(axis=1)
        gram = A.T @ A
        ridge = _RIDGE * np.trace(gram) / len(shifted) + np.finfo(float).tiny
        gram[np.diag_indices_from(gram)] += ridge
        shifted += np.linalg.solve(gram, A.T @ residuals)
    return shifted


def predict_recentered(model: TrainedModel, batches: list[Array]) -> Array:
    """Recenter each batch, and return the predicted labels of all rows in their order.

    Parameters
    ----------
    model
        A model that takes only embeddings, and restores them.
    batches
        Embeddings as received by the consumer, each of shape (n_rows, width).
    """
    pipeline: Pipeline = model.pipeline
    *_, classifier = pipeline
    restore = pipeline[0][:-1]
    rows = np.concatenate([recenter(restore.transform(batch)) for batch in batches])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels: Array = classifier.predict(rows.astype(np.float32))
    return labels
