"""What both kinds of matrices share: spans of rows for threads, and the models that are found.

Rows are cut into spans that depend on the matrix alone.  Which thread takes which span changes
nothing: what spans give is added in their order.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy.typing as npt

Array = npt.NDArray[Any]
T = TypeVar("T", float, Array)
N_SPANS: Final = 8
STEP: Final = 512  # the edges of spans are multiples of it


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearFits:
    """The models of one matrix.

    Attributes
    ----------
    coefficients
        Shape (P, K, D); K is 1 for two classes.
    intercepts
        Shape (P, K).
    errors
        How far from done each is by the rule of its loss, shape (P,), or by the excess where that
        is nearer to its end.  Done is who is within the tolerance.
    n_iter
        Shape (P,).
    """

    coefficients: Array
    intercepts: Array
    errors: Array
    n_iter: Array


def spans_of(n: int, step: int = 1) -> list[slice]:
    """Cut n rows into a few spans whose edges are multiples of the step.

    Four steps and fewer are one span: handing them to threads would take longer.
    """
    n_steps = -(-n // step)
    n_spans = min(-(-n_steps // 4), N_SPANS)
    edges = [step * (k * n_steps // n_spans) for k in range(n_spans + 1)]
    return [slice(a, min(b, n)) for a, b in itertools.pairwise(edges) if a < min(b, n)]


def is_small(n: int) -> bool:
    """Return whether so many rows are one span."""
    return len(spans_of(n, STEP)) <= 1


def sum_of(parts: Iterable[T]) -> T:
    """Add numbers or arrays up, in their order."""
    return functools.reduce(operator.add, parts)
