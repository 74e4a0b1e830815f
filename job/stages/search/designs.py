"""What a matrix must do to be fitted to: the two products of an evaluation, shared among threads.

Rows are cut into spans that depend on the matrix alone.  Which thread takes which span changes
nothing: what spans give is added in their order.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import numpy.typing as npt

from job.contracts.ports import Spread

Array = npt.NDArray[Any]
# Gives the summed loss of each problem, shape (P,), and the derivative by each logit,
# shape (P, K, n), from logits of shape (P, K, n) and the rows they are of.
Residuals = Callable[[Array, slice], tuple[Array, Array]]
_N_SPANS: Final = 8
BLOCK: Final = 512  # rows that fit into the cache


class Design(Protocol):
    """A matrix of shape (n_samples, n_features) that many linear models are fitted to.

    Attributes
    ----------
    full
        The columns whose covariance is worth its decomposition; there may be none.
    """

    shape: tuple[int, int]
    full: slice
    dtype: Any
    spread: Spread

    def evaluate(
        self, coefficients: Array, intercepts: Array, residuals: Residuals
    ) -> tuple[Array, Array, Array]:
        """Give losses (P,) and their gradients by coefficients (P, K, D) and intercepts (P, K)."""

    def sum_rows(
        self, coefficients: Array, intercepts: Array, function: Callable[[Array, slice], Array]
    ) -> Array:
        """Sum what a function gives of logits, shape (P, K, n), and the rows they are of."""

    def moments(self, weights: Array) -> tuple[Array, Array, Array]:
        """Give mean and variance of columns (D,), and the covariance of the full ones (F, F)."""

    def row_bytes(self, n_classes: int) -> int:
        """Give the memory that evaluating one model takes for the rows."""


def spans_of(n: int, step: int = 1) -> list[slice]:
    """Cut n rows into a few spans whose edges are multiples of the step."""
    n_steps = -(-n // step)
    edges = [step * (k * n_steps // _N_SPANS) for k in range(_N_SPANS + 1)]
    return [slice(a, min(b, n)) for a, b in itertools.pairwise(edges) if a < min(b, n)]


def sum_of(parts: Iterable[Array]) -> Array:
    """Add arrays up, in their order."""
    return functools.reduce(operator.add, parts)
