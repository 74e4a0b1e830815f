"""Predicted probabilities of rows whose classes are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.row_blocks import split_rows
from job.contracts.settings.search import FeatureBlocks
from job.stages.features.preprocessing import make_input

_BLOCK: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """True classes and predicted probabilities of rows.

    Classes are stored as numbers, because numbers are compared faster than strings.

    Attributes
    ----------
    classes
        All classes of the rows and of the model, sorted.  The number of a class is its position in
        this tuple.
    y_true
        True class of each row as a number, shape (n_rows,).
    proba
        Predicted probabilities, shape (n_rows, n_model_classes).
    model_classes
        The class of each column of `proba`, as a number.
    """

    classes: tuple[str, ...]
    y_true: Array
    proba: Array
    model_classes: Array

    @property
    def y_pred(self) -> Array:
        """The predicted class of each row, shape (n_rows,)."""
        predicted: Array = self.model_classes[self.proba.argmax(axis=1)]
        return predicted

    @property
    def has_known_class(self) -> Array:
        """Mask of the rows whose true class is one of the model's classes, shape (n_rows,)."""
        return np.isin(self.y_true, self.model_classes)

    def take(self, index: Array) -> Predictions:
        """Return the predictions of some rows; `index` holds the rows' positions, or is a mask."""
        return replace(self, y_true=self.y_true[index], proba=self.proba[index])

    def true_class_proba(self) -> Array:
        """Return the predicted probability of each row's true class, shape (n_rows,).

        The true class of every row must be one of the model's classes.
        """
        column = np.empty(len(self.classes), int)
        column[self.model_classes] = np.arange(len(self.model_classes))
        proba: Array = self.proba[np.arange(len(self.proba)), column[self.y_true]]
        return proba


def predict(model: Any, rows: Rows, feature_blocks: FeatureBlocks) -> Predictions:
    """Predict the classes' probabilities for the rows, in chunks to limit memory."""
    positions = np.arange(len(rows))
    blocks = (rows.take(positions[block]) for block in split_rows(slice(0, len(rows)), _BLOCK))
    proba = np.concatenate(
        [model.predict_proba(make_input(block, feature_blocks)) for block in blocks]
    )
    classes = sorted({*rows.y, *model.classes_})
    index = pd.Index(classes, dtype=object)
    return Predictions(
        classes=tuple(str(name) for name in classes),
        y_true=index.get_indexer(rows.y),
        proba=proba,
        model_classes=index.get_indexer(np.asarray(model.classes_, dtype=object)),
    )
