"""Predict with a model in its plain form."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.remedies import AVOID_VERSION
from job.contracts.row_blocks import split_rows
from job.errors import IntegrityError
from job.model_form.block_forms import TermBlock
from job.model_form.blocks import make_transform
from job.model_form.encoding import decode_form
from job.model_form.form import ModelForm
from job.model_form.head_forms import inner_width
from job.model_form.heads import apply_link, compute_scores

_MAX_VALUES: Final = 2**22  # of a dense matrix, however wide the form of somebody else is


class PlainModel:
    """A classifier that computes probabilities from a plain form.

    Parameters
    ----------
    name
        Key of the file in the store, for error messages.

    Attributes
    ----------
    classes_
        Classes in the order of the columns of `predict_proba`.
    """

    def __init__(self, form: ModelForm, name: str) -> None:
        self.form, self._name = form, name
        self.classes_ = np.array(form.classes)
        self._transforms = [make_transform(block) for block in form.blocks]
        dense = (block.width for block in form.blocks if not isinstance(block, TermBlock))
        widest = max(inner_width(form.head), *dense, 1)
        self._n_rows_at_once = max(_MAX_VALUES // widest, 1)

    @classmethod
    def read(cls, data: bytes, name: str) -> PlainModel:
        """Return the model in the bytes of `model.safetensors`.

        Raises
        ------
        IntegrityError
            The bytes are not a model of a known format; `name` is the file's name in the message.
        """
        return cls(decode_form(data, name), name)

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the classes, shape (n_rows, n_classes).

        Raises
        ------
        IntegrityError
            The model cannot take these rows, or its numbers give no probabilities.
        """
        try:
            with np.errstate(all="ignore"):
                proba = [self._predict(X, rows) for rows in self._split(len(X))]
        except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError):
            raise self._unusable("cannot take the rows that metadata.json describes") from None
        result = np.concatenate([np.empty((0, len(self.classes_))), *proba])
        if not np.isfinite(result).all():
            raise self._unusable("gives numbers that are no probabilities")
        return result

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each row, shape (n_rows,)."""
        predicted: Array = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return predicted

    def get_params(self) -> dict[str, object]:
        """Return no parameters: a plain form has none."""
        return {}

    def _split(self, n_rows: int) -> list[slice]:
        return split_rows(slice(0, n_rows), self._n_rows_at_once)

    def _predict(self, X: Any, rows: slice) -> Array:
        part = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
        features = [transform(part) for transform in self._transforms]
        scores = compute_scores(self.form.head, features, len(part))
        return apply_link(self.form.link, scores, len(self.classes_))

    def _unusable(self, problem: str) -> IntegrityError:
        return IntegrityError(
            f"the model in {self._name} {problem}",
            hint=AVOID_VERSION,
        )
