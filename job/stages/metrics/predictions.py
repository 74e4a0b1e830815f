"""What a model says of rows whose class is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from job.contracts.dataset import Rows
from job.contracts.row_blocks import cut
from job.contracts.settings.search import FeatureBlocks
from job.stages.features.preprocessing import make_input

Array = np.ndarray[Any, Any]
_BLOCK: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Classes as numbers: numbers are compared faster than words.

    Attributes
    ----------
    classes
        Those of the rows and of the model, sorted; what the numbers stand for.
    y_true
        Shape (n_rows,).
    proba
        Shape (n_rows, n_known).
    known
        The class of each column of `proba`.
    """

    classes: tuple[str, ...]
    y_true: Array
    proba: Array
    known: Array

    @property
    def y_pred(self) -> Array:
        """The class that each row is taken for."""
        taken: Array = self.known[self.proba.argmax(axis=1)]
        return taken

    @property
    def has_known_class(self) -> Array:
        """Whether the model knows the class of each row."""
        return np.isin(self.y_true, self.known)

    def take(self, index: Array) -> Predictions:
        """Return the rows at these positions, or under this mask."""
        return replace(self, y_true=self.y_true[index], proba=self.proba[index])

    def true_class_proba(self) -> Array:
        """Return the predicted probability of each row's true class, which the model must know."""
        column = np.empty(len(self.classes), int)
        column[self.known] = np.arange(len(self.known))
        found: Array = self.proba[np.arange(len(self.proba)), column[self.y_true]]
        return found


def predict(model: Any, rows: Rows, feature_blocks: FeatureBlocks) -> Predictions:
    """Predict block by block: the rows have no copy."""
    positions = np.arange(len(rows))
    blocks = (rows.take(positions[some]) for some in cut(slice(0, len(rows)), _BLOCK))
    proba = np.concatenate(
        [model.predict_proba(make_input(some, feature_blocks)) for some in blocks]
    )
    classes = sorted({*rows.y, *model.classes_})
    index = pd.Index(classes, dtype=object)
    return Predictions(
        classes=tuple(str(name) for name in classes),
        y_true=index.get_indexer(rows.y),
        proba=proba,
        known=index.get_indexer(np.asarray(model.classes_, dtype=object)),
    )
