"""Turn decision values of several folds into probabilities, without another fit of any fold.

How it works
------------
1. Each fold's model gives decision values to the rows that it was not fitted to, so that every row
   of the table has some from a model that has not seen it.
2. For each fold, scikit-learn fits the calibration (Platt's curves, or one temperature) to the
   decision values and labels of the rows that the fold's model was fitted to, and applies it to the
   decision values of the fold's own rows.

No label of a fold is in the calibration of its own rows.  The models that gave the other decision
values have seen rows of the fold, which can move the one or two numbers of a curve, not a row.
The other way is a calibration within each fold, which fits its model four times over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.solver.linear_svc import fit_calibration
from job.stages.split.folds import Fold

Array = npt.NDArray[Any]
# What a linear SVC of one class against the rest tends to where there is no row of the class.
_NEVER: Final = -1.0


def decide(model: Any, X: Any, classes: Array) -> Array:
    """Return decision values in the order of all classes.

    Parameters
    ----------
    model
        A fitted linear SVC, of two classes or more.
    classes
        Sorted; the model may have met some of them only.

    Returns
    -------
    decisions
        Shape (n_samples, n_classes); of two classes they are opposites, of a class that the model
        has not met they are -1.
    """
    values = model.decision_function(X)
    if values.ndim == 1:
        values = np.stack([-values, values], axis=1)
    decisions = np.full((len(values), len(classes)), _NEVER)
    decisions[:, np.searchsorted(classes, model.classes_)] = values
    return decisions


def calibrate_folds(decisions: Array, codes: Array, folds: Sequence[Fold], method: str) -> Array:
    """Return probabilities of every row by the calibration of its fold.

    Parameters
    ----------
    decisions
        As `decide` gives them, of each row by the model of the fold that tests it, shape
        (n_samples, n_classes).
    codes
        The class of each row, as a column of `decisions`, shape (n_samples,).
    folds
        Positions of the training and the test side of each; each row is tested once.
    method
        `sigmoid` or `temperature`.

    Returns
    -------
    proba
        Shape (n_samples, n_classes), single precision; 0 for classes that the training side of the
        row's fold lacks.
    """
    proba = np.zeros(decisions.shape, np.float32)
    for train_index, test_index in folds:
        known, labels = np.unique(codes[train_index], return_inverse=True)
        columns = known[1:] if len(known) == 2 else known
        model = fit_calibration(decisions[np.ix_(train_index, columns)], labels, method)
        found = model.predict_proba(decisions[np.ix_(test_index, columns)])
        proba[np.ix_(test_index, known)] = found
    return proba
