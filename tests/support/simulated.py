"""Random predictions, in groups whose rows are right or wrong together."""

import numpy as np

from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions

SHARES = np.array([0.4, 0.3, 0.2, 0.1])
RECALLS = np.array([0.92, 0.95, 0.96, 0.97])
SIZES = np.array([1, 1, 1, 2, 5, 12])


def predictions(y_true, y_pred, n_classes=4):
    """Return predictions with probability 1 for `y_pred`."""
    return Predictions(
        classes=tuple(f"c{n:02}" for n in range(n_classes)),
        y_true=np.asarray(y_true),
        proba=np.eye(n_classes)[np.asarray(y_pred)],
        model_classes=np.arange(n_classes),
    )


def bootstrap_of(predicted, groups, spec, seed=0):
    """Return the bootstrap over the groups of these predictions."""
    return GroupBootstrap.of(np.asarray(groups), predicted.y_true, spec, seed)


def draw(n_groups, rng, *, is_uneven):
    """Draw groups of one class each; with `is_uneven`, of 1 to 12 dependent rows.

    Returns
    -------
    groups, predictions
    """
    group_classes = rng.choice(4, n_groups, p=SHARES)
    sizes = rng.choice(SIZES, n_groups) if is_uneven else np.ones(n_groups, int)
    groups = np.repeat(np.arange(n_groups), sizes)
    y = group_classes[groups]
    accuracy = RECALLS[group_classes]
    if is_uneven:
        accuracy = rng.beta(accuracy, 1 - accuracy)
    is_right = rng.random(len(y)) < accuracy[groups]
    return groups, predictions(y, np.where(is_right, y, (y + 1) % 4))


def simulate(n_rows, rng, *, is_grouped=False, sharpened=1.0):
    """Draw the classes of rows from their probabilities, so that the model is calibrated.

    Parameters
    ----------
    is_grouped
        Rows come in groups of 1 to 5 that share probabilities and class.
    sharpened
        Power to which the model's probabilities are raised afterwards; 1 leaves them unchanged.

    Returns
    -------
    predictions, groups
    """
    sizes = rng.choice([1, 1, 2, 5], n_rows) if is_grouped else np.ones(n_rows, int)
    groups = np.repeat(np.arange(n_rows), sizes)[:n_rows]
    proba = rng.dirichlet([0.5, 0.3, 0.2], groups[-1] + 1)
    group_classes = (proba.cumsum(axis=1) < rng.random((len(proba), 1))).sum(axis=1).clip(max=2)
    proba = proba**sharpened
    proba /= proba.sum(axis=1, keepdims=True)
    simulated = Predictions(
        classes=("a", "b", "c"),
        y_true=group_classes[groups],
        proba=proba[groups],
        model_classes=np.arange(3),
    )
    return simulated, groups
