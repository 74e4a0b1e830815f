"""Warm starts from models fitted to other rows, by the columns that both matrices share."""

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
        One for each model to be fitted, in this order; None if it was not fitted before.
    shared_columns
        Positions of the columns that both matrices have: in the previous one, and in the new one.
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
        """Match the columns of two matrices by their ids; None if either matrix has no ids."""
        if previous_columns is None or columns is None:
            return None
        _, *shared = np.intersect1d(
            previous_columns, columns, assume_unique=True, return_indices=True
        )
        return cls(models=models, shared_columns=(shared[0], shared[1]))

    def warm_start(
        self, positions: Sequence[int], classes: Array, n_features: int
    ) -> WarmStart | None:
        """Return the start of the models at these positions; coefficients of new columns are 0.

        Return None if one of the models was not fitted before, or has other classes.
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
