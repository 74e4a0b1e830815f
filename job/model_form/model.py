"""Predict with a model in its plain form."""

from __future__ import annotations

from typing import Any

import numpy as np

from job.contracts.arrays import Array
from job.model_form.blocks import make_transform
from job.model_form.encoding import decode_form
from job.model_form.form import ModelForm
from job.model_form.heads import apply_link, compute_scores


class PlainModel:
    """A classifier that computes probabilities from a plain form.

    Attributes
    ----------
    classes_
        Classes in the order of the columns of `predict_proba`.
    """

    def __init__(self, form: ModelForm) -> None:
        self.form = form
        self.classes_ = np.array(form.classes)
        self._transforms = [make_transform(block) for block in form.blocks]

    @classmethod
    def read(cls, data: bytes, name: str) -> PlainModel:
        """Return the model in the bytes of `model.safetensors`.

        Raises
        ------
        IntegrityError
            The bytes are not a model of a known format; `name` is the file's name in the message.
        """
        return cls(decode_form(data, name))

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities of the classes, shape (n_rows, n_classes)."""
        features = [transform(X) for transform in self._transforms]
        scores = compute_scores(self.form.head, features, len(X))
        return apply_link(self.form.link, scores, len(self.classes_))

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each row, shape (n_rows,)."""
        predicted: Array = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return predicted

    def get_params(self) -> dict[str, object]:
        """Return no parameters: a plain form has none."""
        return {}
