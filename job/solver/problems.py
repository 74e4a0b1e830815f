"""Linear models to fit to one matrix: the problems, the starting points and the stopping rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from job.solver.arrays import Array
from job.solver.losses import Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When a fit ends.

    Attributes
    ----------
    tolerance
        End when the gradient norm (`Loss.gradient_norm`) is at or below this.
    max_iter
        Maximum number of iterations.
    suboptimality
        Also end when the objective is estimated to exceed its minimum by less than this; 0 turns
        the rule off.
    """

    tolerance: float
    max_iter: int
    suboptimality: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedLabels:
    """Labels of the rows as numbers: positions in the array of sorted classes.

    Attributes
    ----------
    classes
        The sorted classes, shape (n_classes,).
    codes
        Class of each row, as a position in `classes`, shape (n_samples,); each class has at least
        one row.
    """

    classes: Array
    codes: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearProblems:
    """P linear models to be fitted to the same rows; they differ in C and sample weights.

    K is the number of logits of a model: 1 for two classes, else the number of classes.

    Attributes
    ----------
    codes
        Class of each row as a number from 0, shape (n_samples,).
    weights
        Sample weights, shape (n_weightings, n_samples).  Each row of this array is one weighting:
        it has a weight for every sample.
    C
        Inverse regularization strength of each model, shape (P,).
    weighting_index
        Which row of `weights` each model uses, shape (P,).
    loss
        The loss function, computed from logits.
    own_class_weight
        Factor of each class, shape (n_weightings, n_classes); None means 1 everywhere.  The factor
        multiplies the loss of the class's rows at the logit of the class.
    """

    codes: Array
    weights: Array
    C: Array
    weighting_index: Array
    loss: Loss
    own_class_weight: Array | None = None

    @classmethod
    def of(cls, codes: Array, weights: Array, C: Sequence[float], loss: Loss) -> LinearProblems:
        """Return one problem per C; all have the same sample weights, shape (n_samples,)."""
        return cls(
            codes=codes,
            weights=np.atleast_2d(weights),
            C=np.asarray(C, np.float64),
            weighting_index=np.zeros(len(C), int),
            loss=loss,
        )

    def __len__(self) -> int:
        return len(self.C)

    @property
    def n_classes(self) -> int:
        """The number of classes."""
        return int(self.codes.max()) + 1

    def take(self, index: Array) -> LinearProblems:
        """Return the problems at these positions."""
        return replace(self, C=self.C[index], weighting_index=self.weighting_index[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """Starting points of P fits, each of a model with K logits on D columns.

    Attributes
    ----------
    coefficients
        Shape (P, K, D).
    intercepts
        Shape (P, K).
    """

    coefficients: Array
    intercepts: Array

    def take(self, index: Array) -> WarmStart:
        """Return the starting points of the problems at these positions."""
        return WarmStart(coefficients=self.coefficients[index], intercepts=self.intercepts[index])

    def repeat(self, n: int) -> WarmStart:
        """Return each starting point n times, one copy after another."""
        return WarmStart(
            coefficients=np.repeat(self.coefficients, n, axis=0),
            intercepts=np.repeat(self.intercepts, n, axis=0),
        )
