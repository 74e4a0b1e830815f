"""Calibrate the decision values of several folds without fitting any further classifier.

How it works
------------
1. Each fold's model computes decision values of the fold's test rows, so that every row has
   out-of-fold decision values.
2. For each fold, scikit-learn fits the calibration (sigmoid curves, or one temperature) to the
   out-of-fold decision values and labels of the fold's training rows.
3. This calibration is applied to the decision values of the fold's test rows.

The calibration of a fold is fitted without the fold's labels.  However, it is fitted to decision
values of models that were trained on rows of the fold, so its few parameters depend on these rows.
A nested calibration within each fold would avoid this, but needs four times as many fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from job.contracts.arrays import Array
from job.solver.arrays import Matrix
from job.solver.linear_svc import fit_calibration
from job.stages.split.folds import Fold

if TYPE_CHECKING:
    from sklearn.svm import LinearSVC

# The decision value that a one-vs-rest linear SVC approaches for a class without rows.
_ABSENT_CLASS: Final = -1.0


def compute_decisions(model: LinearSVC, X: Matrix, classes: Array) -> Array:
    """Return the decision values of a linear SVC, one column per class.

    Parameters
    ----------
    model
        A fitted linear SVC of at least two classes.
    classes
        All classes, sorted; the model may be fitted to only some of them.

    Returns
    -------
    decisions
        Shape (n_samples, n_classes).  If the model has two classes, one column is the negative of
        the other.  A class that the model was not fitted to has a column of -1.
    """
    values = model.decision_function(X)
    if values.ndim == 1:
        values = np.stack([-values, values], axis=1)
    decisions = np.full((len(values), len(classes)), _ABSENT_CLASS)
    decisions[:, np.searchsorted(classes, model.classes_)] = values
    return decisions


def calibrate_folds(decisions: Array, codes: Array, folds: Sequence[Fold], method: str) -> Array:
    """Return the probabilities of each row, calibrated without the labels of the row's fold.

    Parameters
    ----------
    decisions
        Out-of-fold decision values from `compute_decisions`, shape (n_samples, n_classes).
    codes
        Class of each row, shape (n_samples,), as the position of the class's column in `decisions`.
    folds
        Train and test positions of each fold; each row is tested once.
    method
        `sigmoid` or `temperature`.

    Returns
    -------
    proba
        Shape (n_samples, n_classes), single precision; 0 if the row's fold has no training rows of
        the class.
    """
    proba = np.zeros(decisions.shape, np.float32)
    for train_index, test_index in folds:
        train_classes, labels = np.unique(codes[train_index], return_inverse=True)
        columns = train_classes[1:] if len(train_classes) == 2 else train_classes
        model = fit_calibration(decisions[np.ix_(train_index, columns)], labels, method)
        test_proba = model.predict_proba(decisions[np.ix_(test_index, columns)])
        proba[np.ix_(test_index, train_classes)] = test_proba
    return proba
