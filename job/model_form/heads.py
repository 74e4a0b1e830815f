"""Compute scores from features, and probabilities from scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit, softmax

from job.contracts.arrays import Array
from job.model_form.blocks import scale_rows
from job.model_form.head_forms import (
    Head,
    LinearHead,
    Link,
    Perceptron,
    Platt,
    Prototypes,
    PrototypesWithPerceptron,
    Sigmoid,
    Softmax,
)


def compute_scores(head: Head, blocks: Sequence[Any], n_rows: int) -> Array:
    """Return the scores of rows, shape (n_rows, n_scores).

    Parameters
    ----------
    blocks
        Features of each block, dense or sparse, shape (n_rows, width) each.
    """
    if isinstance(head, LinearHead):
        scores: Array = np.tile(head.intercept, (n_rows, 1))
        start = 0
        for features in blocks:
            scores += features @ head.weights[start : start + features.shape[1]]
            start += features.shape[1]
        return scores
    if isinstance(head, Prototypes):
        return _score_shares(head, _join(blocks))
    if isinstance(head, PrototypesWithPerceptron):
        return _score_by_length(head, _join(blocks))
    constant: Array = np.tile(head.probabilities, (n_rows, 1))
    return constant


def apply_link(link: Link, scores: Array, n_classes: int) -> Array:
    """Return the probabilities of the classes, shape (n_rows, n_classes)."""
    if isinstance(link, Softmax):
        proba: Array = softmax(link.factor * scores, axis=1)
        return proba
    if isinstance(link, Sigmoid):
        return _pair(expit(link.factor * scores[:, 0]))
    if not isinstance(link, Platt):
        return scores
    shares = expit(-(link.slope * scores + link.offset))
    if n_classes == 2:
        return _pair(shares[:, 0])
    total = shares.sum(axis=1, keepdims=True)
    uniform: Array = np.full_like(shares, 1 / n_classes)
    np.divide(shares, total, out=uniform, where=total != 0)
    return uniform


def _pair(second: Array) -> Array:
    return np.stack([1 - second, second], axis=1)


def _join(blocks: Sequence[Any]) -> Array:
    return np.hstack([b.toarray() if sparse.issparse(b) else b for b in blocks])


def _score_shares(head: Prototypes, rows: Array) -> Array:
    if head.unit_rows:
        rows = scale_rows(rows)
    exponentials = np.exp(rows @ head.centers)
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    scores: Array = np.hstack([shares, head.row_weight * rows]) @ head.weights + head.intercept
    return scores


def _score_by_length(head: PrototypesWithPerceptron, rows: Array) -> Array:
    p = head.perceptron
    excess = np.square(rows).sum(axis=1, keepdims=True) - 1
    beyond = np.abs(excess) - p.bound
    near = _score_shares(head.prototypes, rows)
    far = _score_hidden(p, np.hstack([rows, excess]))
    near_shrunk = _shrink(near, p.steepness * np.maximum(beyond, 0))
    return near_shrunk + _shrink(far, p.steepness * np.maximum(-beyond, 0))


def _score_hidden(perceptron: Perceptron, inputs: Array) -> Array:
    hidden = np.maximum(inputs @ perceptron.hidden_weights + perceptron.hidden_intercept, 0)
    scores: Array = hidden @ perceptron.output_weights + perceptron.output_intercept
    return scores


def _shrink(scores: Array, by: Array) -> Array:
    """Move scores towards 0 by a distance, but not beyond 0."""
    shrunk: Array = np.sign(scores) * np.maximum(np.abs(scores) - by, 0)
    return shrunk
