"""Two things that the solvers share: spans of rows, and `LinearFits`, a batch of fitted models.

A span is a thread's unit of work.  Spans depend only on the shape of the matrix, and the results of
the spans are added in their order.  So the sum has the same bits with any number of threads.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from job.solver.arrays import Array

T = TypeVar("T", float, Array)
N_SPANS: Final = 8
STEP: Final = 512  # spans begin at multiples of this number of rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearFits:
    """Linear models fitted to one matrix.

    Attributes
    ----------
    coefficients
        Shape (P, K, D) for P models, K logits (1 for two classes) and D columns.
    intercepts
        Shape (P, K).
    errors
        Stopping error of each model, shape (P,).  A model has converged if its error is within
        `StopRule.tolerance`.  The error is the gradient norm (`Loss.gradient_norm`), or, if
        smaller, the estimated suboptimality, rescaled to have the same tolerance.
    n_iter
        Iterations of each model's fit, shape (P,).
    """

    coefficients: Array
    intercepts: Array
    errors: Array
    n_iter: Array


def cut_spans(n: int, step: int = 1) -> list[slice]:
    """Cut n rows into at most `N_SPANS` spans that begin at multiples of `step`.

    If n is at most `4 * step`, there is one span: starting threads would take longer than the work.
    """
    n_steps = -(-n // step)
    n_spans = min(-(-n_steps // 4), N_SPANS)
    edges = [step * (k * n_steps // n_spans) for k in range(n_spans + 1)]
    return [slice(a, min(b, n)) for a, b in itertools.pairwise(edges) if a < min(b, n)]


def is_single_span(n: int) -> bool:
    """Return whether one thread does all work on a dense matrix of n rows."""
    return len(cut_spans(n, STEP)) <= 1


def sum_in_order(parts: Iterable[T]) -> T:
    """Add numbers or arrays one by one, in the order given; return the sum."""
    return functools.reduce(operator.add, parts)
