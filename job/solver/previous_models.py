"""Start fits from models that were fitted to a previous matrix with some of the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from job.solver.arrays import Array
from job.solver.linear_svc import linear_model
from job.solver.problems import WarmStart


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousModels:
    """The models from which fits start, such as those of the previous fold.

    Attributes
    ----------
    models
        For each model to be fitted, the model from which its fit starts; None if there is none.
    shared_columns
        A pair of arrays for the columns that both matrices have: their positions in the previous
        matrix, and their positions in the new one.
    """

    models: Sequence[BaseEstimator | None]
    shared_columns: tuple[Array, Array]

    @classmethod
    def of(
        cls,
        models: Sequence[BaseEstimator | None],
        previous_columns: Array | None,
        columns: Array | None,
    ) -> PreviousModels | None:
        """Match columns of the previous and the new matrix by id; None if a matrix has no ids."""
        if previous_columns is None or columns is None:
            return None
        _, *shared = np.intersect1d(
            previous_columns, columns, assume_unique=True, return_indices=True
        )
        return cls(models=models, shared_columns=(shared[0], shared[1]))

    def warm_start(
        self, positions: Sequence[int], classes: Array, n_features: int
    ) -> WarmStart | None:
        """Return the starting points for the models to be fitted at these positions.

        Coefficients of columns that the previous matrix lacks are 0.  Return None if a model lacks
        a previous model, or if its previous model has other classes.
        """
        models = [linear_model(self.models[n]) for n in positions]
        if not all(np.array_equal(getattr(m, "classes_", ()), classes) for m in models):
            return None
        previous, current = self.shared_columns
        coefficients = np.stack([model.coef_ for model in models])
        W = np.zeros((*coefficients.shape[:2], n_features), coefficients.dtype)
        W[..., current] = coefficients[..., previous]
        return WarmStart(
            coefficients=W, intercepts=np.stack([model.intercept_ for model in models])
        )
