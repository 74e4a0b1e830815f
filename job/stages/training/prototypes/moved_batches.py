"""Let a published model bear batches whose columns were standardized anew, row by row.

How it works
------------
1. Restored rows of the training batch have length 1.  Rows of a batch of another class mix that
   was standardized anew are shifted, and their squared lengths differ from 1 by 0.3 or more
   (standard deviation, 85 % of one class); by 0.03 in a batch of the usual mix.
2. Rows whose squared length is within `_NEAR` of 1 go through the model as it is.
3. The others go through a small perceptron (Rumelhart et al. 1986).  It is fitted to batches of the
   training rows: most rows of one class, few groups (templates that no one has seen move a batch as
   much as the mix does), standardized anew.  A row's length is among its inputs, for it tells what
   the shift was.
4. Both are one pipeline of products and functions of single values.  Scores of a branch are
   switched off by subtracting a large multiple of how far a length is on the wrong side from them
   and from their negatives, then taking positive parts; a logistic regression adds what is left.
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numpy.polynomial.polynomial import polyval
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer

Array = npt.NDArray[Any]
_NEAR: Final = 0.06  # of a squared length to 1; twice the deviation in a batch of the usual mix
_BOUND: Final = np.array([-_NEAR, 1.0])  # a polynomial of the distance
_OFF: Final = 1e6
_N_BATCHES: Final = 400
_BATCH_ROWS: Final = 300
_KEPT_ROWS: Final = 100  # of each batch
_SHARES: Final = (0.85, 0.7)  # of the rows of a batch, of one class
_GROUPS: Final = (0.03, 0.3)  # of the groups of the table, in a batch
_MIN_ROWS: Final = 5  # of each class in a batch
_N_TRIES: Final = 20
_N_HIDDEN: Final = 128
_PENALTY: Final = 1.0
_N_EPOCHS: Final = 3
_SCALE: Final = 5.0  # of the perceptron's inputs; rows of length 1 are small numbers to it
_NATURAL: Final = 0.2  # rows as they are, per row of a moved batch
_DECIMALS: Final = 4
_N_COPIES: Final = 5  # of the drawn rows, while inputs are put together


def bear_moved_batches(
    model: Pipeline, X: Array, y: Array, *, group: Array, random_state: int
) -> Pipeline:
    """Return a pipeline that takes restored rows of any length.

    Rows of length 1 get the probabilities that the model gives them, to 1e-5.

    Parameters
    ----------
    model
        It takes rows of length 1; its last step, `classifier`, is a logistic regression.
    X
        The training rows, restored, shape (n_samples, n_features), of length 1.
    y, group
        Class and group of each, shape (n_samples,).
    random_state
        Of the batches; equal ones give equal pipelines.
    """
    classifier: LogisticRegression = model[-1]
    codes = np.searchsorted(classifier.classes_, y)
    groups = np.unique(group, return_inverse=True)[1]
    perceptron = _fit_perceptron(X, codes, groups, np.random.default_rng(random_state))
    as_given = Pipeline(
        [
            ("normalizer", Normalizer()),
            *model.steps[:-1],
            *_layer("scores", classifier.coef_.T, classifier.intercept_),
        ]
    )
    union = FeatureUnion(
        [
            ("as_given", _switch(as_given, len(classifier.coef_), is_far=False)),
            ("moved", _switch(_publish(perceptron), len(classifier.coef_), is_far=True)),
        ]
    ).fit(X[:1])
    return Pipeline([("scores", union), ("classifier", _sum_scores(classifier))])


def _sum_scores(classifier: LogisticRegression) -> LogisticRegression:
    """Return a logistic regression that adds both branches' scores, each with its two signs."""
    published = clone(classifier)
    published.classes_, published.n_iter_ = classifier.classes_, classifier.n_iter_
    ones = np.eye(len(classifier.coef_))
    published.coef_ = np.concatenate([ones, -ones, ones, -ones], axis=1)
    published.intercept_ = np.zeros(len(ones))
    published.n_features_in_ = published.coef_.shape[1]
    return published


def moved_batches_bytes(width: int) -> int:
    """Return the memory that a fit takes at most, beside the rows."""
    n_rows = int((1 + _NATURAL) * _N_BATCHES * _KEPT_ROWS)
    return _N_COPIES * n_rows * (width + 1) * np.dtype(np.float32).itemsize


def draw_moved_batches(
    X: Array, codes: Array, groups: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw batches of few groups and another class mix, and bring their columns to the table's.

    Parameters
    ----------
    X
        Shape (n_samples, n_features).
    codes, groups
        Class and group of each row, as numbers from 0, shape (n_samples,).

    Returns
    -------
    rows
        A third of each batch, shape (n_rows, n_features); rows of large groups weigh less.
    index
        Position in `X` of each, shape (n_rows,).
    """
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    weights = np.bincount(groups)[groups] ** -0.5
    rows = np.empty((_N_BATCHES * _KEPT_ROWS, X.shape[1]), np.float32)
    indices = np.empty(len(rows), int)
    for number in range(_N_BATCHES):
        index = _draw_batch(number, codes, groups, rng)
        chances = weights[index] / weights[index].sum()
        kept = rng.choice(len(index), _KEPT_ROWS, p=chances)
        batch = X[index]
        deviations = batch.std(axis=0)
        part = slice(number * _KEPT_ROWS, (number + 1) * _KEPT_ROWS)
        scale = deviation / np.where(deviations > 0, deviations, 1)
        rows[part] = (batch[kept] - batch.mean(axis=0)) * scale + mean
        indices[part] = index[kept]
    return rows, indices


def _draw_batch(number: int, codes: Array, groups: Array, rng: np.random.Generator) -> Array:
    """Return positions of the rows of a batch; the classes dominate in turn."""
    n_classes = int(codes.max()) + 1
    some = _choose_rows(codes, groups, n_classes, rng)
    share = rng.choice(_SHARES)
    weights = np.full(n_classes, (1 - share) / (n_classes - 1))
    weights[number % n_classes] = share
    counts = rng.multinomial(_BATCH_ROWS, weights)
    parts = [rng.choice(some[codes[some] == code], n) for code, n in enumerate(counts) if n]
    return np.concatenate(parts)


def _choose_rows(codes: Array, groups: Array, n_classes: int, rng: np.random.Generator) -> Array:
    """Return the rows of a part of the groups; all rows where a class would have too few."""
    low, high = _GROUPS
    for _ in range(_N_TRIES):
        is_in = rng.random(int(groups.max()) + 1) < rng.uniform(low, high)
        found = np.flatnonzero(is_in[groups])
        if np.bincount(codes[found], minlength=n_classes).min() >= _MIN_ROWS:
            return found
    return np.arange(len(codes))


def _fit_perceptron(
    X: Array, codes: Array, groups: Array, rng: np.random.Generator
) -> MLPClassifier:
    """Fit to moved batches, and to a few rows as they are."""
    rows, index = draw_moved_batches(X, codes, groups, rng)
    as_given = rng.choice(len(X), int(_NATURAL * len(rows)))
    inputs = np.concatenate([rows, X[as_given].astype(np.float32)])
    labels = codes[np.concatenate([index, as_given])]
    lengths = np.square(inputs).sum(axis=1, keepdims=True) - 1
    model = MLPClassifier(
        (_N_HIDDEN,), alpha=_PENALTY, batch_size=256, max_iter=_N_EPOCHS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are on purpose
        return model.fit(_SCALE * np.hstack([inputs, lengths]), labels)


def _publish(perceptron: MLPClassifier) -> Pipeline:
    """Return the perceptron's scores as products and functions of single values."""
    (hidden, out), (bias, intercept) = perceptron.coefs_, perceptron.intercepts_
    return Pipeline(
        [
            ("inputs", FeatureUnion([("row", "passthrough"), ("length", _off_by())])),
            *_layer("hidden", (hidden * _SCALE).round(_DECIMALS), bias.round(_DECIMALS)),
            ("positive", _clip(least=0.0)),
            *_layer("scores", out.round(_DECIMALS), intercept.round(_DECIMALS)),
        ]
    )


def _off_by() -> Pipeline:
    """Return the difference of a row's squared length from 1, shape (n_samples, 1)."""
    return Pipeline(
        [
            ("square", FunctionTransformer(np.square)),
            ("sum", FunctionTransformer(np.sum, kw_args={"axis": 1, "keepdims": True})),
            ("difference", FunctionTransformer(polyval, kw_args={"c": np.array([-1.0, 1.0])})),
        ]
    )


def _switch(branch: Pipeline, width: int, *, is_far: bool) -> Pipeline:
    """Return positive and negative parts of a branch's columns; zeros beyond the bound.

    Parameters
    ----------
    width
        Number of the branch's columns.
    is_far
        Whether the branch is for lengths that are far from 1, or for those that are near.
    """
    sign = 1.0 if is_far else -1.0
    wrong = Pipeline(
        [
            *_off_by().steps,
            ("distance", FunctionTransformer(np.abs)),
            ("from_bound", FunctionTransformer(polyval, kw_args={"c": sign * _BOUND})),
            ("beyond", _clip(most=0.0)),
        ]
    )
    ones = np.eye(width)
    signs = np.vstack([np.hstack([ones, -ones]), np.full((1, 2 * width), _OFF)])
    return Pipeline(
        [
            ("inputs", FeatureUnion([("columns", branch), ("wrong", wrong)])),
            ("signs", FunctionTransformer(np.dot, kw_args={"b": signs})),
            ("positive", _clip(least=0.0)),
        ]
    )


def _layer(name: str, weights: Array, bias: Array) -> list[tuple[str, FunctionTransformer]]:
    """Return the steps of a product with fixed weights, and of a sum with fixed numbers."""
    coefficients = np.stack([bias, np.ones(len(bias))])
    return [
        (name, FunctionTransformer(np.dot, kw_args={"b": np.ascontiguousarray(weights)})),
        (
            f"{name}_bias",
            FunctionTransformer(polyval, kw_args={"c": coefficients, "tensor": False}),
        ),
    ]


def _clip(*, least: float | None = None, most: float | None = None) -> FunctionTransformer:
    return FunctionTransformer(np.clip, kw_args={"a_min": least, "a_max": most})
