"""Make a published model handle restandardized batches, row by row.

A restandardized batch is one whose columns were standardized by its own means and deviations
instead of those of the training table.

How it works
------------
1. The input consists of restored rows: the preprocessing has applied the map (a scale and an offset
   per column) that brings training rows back to length 1.  This map does not fit a restandardized
   batch: it yields shifted rows, whose squared lengths vary around 1.  The standard deviation of
   the squared lengths is at least 0.3 if one class has 85% of the batch, and 0.03 if the batch has
   the usual class mix.
2. Rows whose squared length is within `_MAX_LENGTH_DIFFERENCE` of 1 are scored by the model itself.
3. All other rows are scored by a small perceptron (Rumelhart et al. 1986).  It is fitted to
   simulated batches of the training rows (`job.stages.training.prototypes.batch_sampling`).  The
   batches have few groups, because unseen templates shift a batch as much as another class mix
   does.  The row's length is one of the inputs, because the length depends on the shift.
4. Both branches (model and perceptron) are in one pipeline of matrix products and elementwise
   functions.  A branch yields two values for each score s: max(s - m, 0) and max(-s - m, 0).  For
   rows that this branch scores, m is 0, and the first value minus the second is s.  For all other
   rows, m is so large that both values are 0.  A logistic regression adds up both branches.
"""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
from numpy.polynomial.polynomial import polyval
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer

from job.contracts.arrays import Array
from job.stages.training.prototypes.batch_sampling import (
    N_BATCHES,
    N_KEPT_ROWS,
    draw_restandardized_batches,
)

# of a squared length from 1; twice the standard deviation in a batch of the usual class mix
_MAX_LENGTH_DIFFERENCE: Final = 0.06
_BOUND: Final = np.array([-_MAX_LENGTH_DIFFERENCE, 1.0])  # polynomial: distance minus the maximum
_OFF: Final = 1e6
_N_HIDDEN: Final = 128
_PENALTY: Final = 1.0
_N_EPOCHS: Final = 3
_SCALE: Final = 5.0  # of the perceptron's inputs; the values of rows of length 1 are small
_UNCHANGED_SHARE: Final = 0.2  # unchanged rows, per row of a simulated batch
_DECIMALS: Final = 4
_N_COPIES: Final = 5  # of the drawn rows, while the inputs are assembled


def handle_restandardized_batches(
    model: Pipeline, X: Array, y: Array, *, group: Array, random_state: int
) -> Pipeline:
    """Extend `model` to restored rows whose length is not 1, as in restandardized batches.

    For rows of length 1, the returned pipeline predicts the probabilities of `model`, up to
    differences of 1e-5.

    Parameters
    ----------
    model
        Fitted to rows of length 1; its last step, `classifier`, is a logistic regression.
    X
        The restored training rows, of length 1, shape (n_samples, n_features).
    y, group
        Class and group of each row, shape (n_samples,).
    random_state
        Seed of the simulated batches; the same seed yields the same pipeline.
    """
    classifier: LogisticRegression = model[-1]
    codes = np.searchsorted(classifier.classes_, y)
    groups = np.unique(group, return_inverse=True)[1]
    perceptron = _fit_perceptron(X, codes, groups, np.random.default_rng(random_state))
    moved, width = _make_perceptron_pipeline(perceptron), len(classifier.coef_)
    as_given = Pipeline(
        [
            ("normalizer", Normalizer()),
            *model.steps[:-1],
            *_make_layer("scores", classifier.coef_.T, classifier.intercept_),
        ]
    )
    union = FeatureUnion(
        [
            ("as_given", _gate_branch(as_given, width, is_far=False)),
            ("moved", _gate_branch(moved, width, is_far=True)),
        ]
    ).fit(X[:1])
    return Pipeline([("scores", union), ("classifier", _make_sum(classifier))])


def _make_sum(classifier: LogisticRegression) -> LogisticRegression:
    """Return a `LogisticRegression` whose logits are the sum of the scores of two branches.

    Its input columns are max(score, 0) and max(-score, 0) of the branch `as_given`, then the same
    two of the branch `moved`.  So its coefficients are 1 and -1.
    """
    published = clone(classifier)
    published.classes_, published.n_iter_ = classifier.classes_, classifier.n_iter_
    identity = np.eye(len(classifier.coef_))
    published.coef_ = np.concatenate([identity, -identity, identity, -identity], axis=1)
    published.intercept_ = np.zeros(len(identity))
    published.n_features_in_ = published.coef_.shape[1]
    return published


def restandardized_batches_bytes(width: int) -> int:
    """Estimate the bytes that fitting the perceptron needs, apart from the training rows."""
    n_rows = int((1 + _UNCHANGED_SHARE) * N_BATCHES * N_KEPT_ROWS)
    return _N_COPIES * n_rows * (width + 1) * np.dtype(np.float32).itemsize


def _fit_perceptron(
    X: Array, codes: Array, groups: Array, rng: np.random.Generator
) -> MLPClassifier:
    """Fit the perceptron to simulated batches and to some unchanged training rows."""
    rows, index = draw_restandardized_batches(X, codes, groups, rng)
    unchanged = rng.choice(len(X), int(_UNCHANGED_SHARE * len(rows)))
    inputs = np.concatenate([rows, X[unchanged].astype(np.float32)])
    labels = codes[np.concatenate([index, unchanged])]
    lengths = np.square(inputs).sum(axis=1, keepdims=True) - 1
    model = MLPClassifier(
        (_N_HIDDEN,), alpha=_PENALTY, batch_size=256, max_iter=_N_EPOCHS, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are intended
        return model.fit(_SCALE * np.hstack([inputs, lengths]), labels)


def _make_perceptron_pipeline(perceptron: MLPClassifier) -> Pipeline:
    """Convert the perceptron to a pipeline of matrix products and elementwise functions."""
    (hidden, out), (bias, intercept) = perceptron.coefs_, perceptron.intercepts_
    return Pipeline(
        [
            ("inputs", FeatureUnion([("row", "passthrough"), ("length", _length_difference())])),
            *_make_layer("hidden", (hidden * _SCALE).round(_DECIMALS), bias.round(_DECIMALS)),
            ("positive", _make_clip(minimum=0.0)),
            *_make_layer("scores", out.round(_DECIMALS), intercept.round(_DECIMALS)),
        ]
    )


def _length_difference() -> Pipeline:
    """Return a pipeline that computes each row's squared length minus 1."""
    return Pipeline(
        [
            ("square", FunctionTransformer(np.square)),
            ("sum", FunctionTransformer(np.sum, kw_args={"axis": 1, "keepdims": True})),
            ("difference", FunctionTransformer(polyval, kw_args={"c": np.array([-1.0, 1.0])})),
        ]
    )


def _gate_branch(branch: Pipeline, width: int, *, is_far: bool) -> Pipeline:
    """Return a pipeline that computes the positive and negative parts of a branch's scores.

    Rows that the other branch handles get zeros.

    Parameters
    ----------
    width
        Number of scores that the branch computes for each row.
    is_far
        True for the branch that scores rows whose length is far from 1, False for the branch that
        scores all other rows.
    """
    sign = 1.0 if is_far else -1.0
    # 0 for rows of this branch, negative for rows of the other one
    wrong_side = Pipeline(
        [
            *_length_difference().steps,
            ("distance", FunctionTransformer(np.abs)),
            ("from_bound", FunctionTransformer(polyval, kw_args={"c": sign * _BOUND})),
            ("beyond", _make_clip(maximum=0.0)),
        ]
    )
    identity = np.eye(width)
    signs = np.vstack([np.hstack([identity, -identity]), np.full((1, 2 * width), _OFF)])
    return Pipeline(
        [
            ("inputs", FeatureUnion([("columns", branch), ("wrong", wrong_side)])),
            ("signs", FunctionTransformer(np.dot, kw_args={"b": signs})),
            ("positive", _make_clip(minimum=0.0)),
        ]
    )


def _make_layer(name: str, weights: Array, bias: Array) -> list[tuple[str, FunctionTransformer]]:
    """Return two pipeline steps: multiply by fixed weights, then add a fixed bias."""
    coefficients = np.stack([bias, np.ones(len(bias))])
    return [
        (name, FunctionTransformer(np.dot, kw_args={"b": np.ascontiguousarray(weights)})),
        (
            f"{name}_bias",
            FunctionTransformer(polyval, kw_args={"c": coefficients, "tensor": False}),
        ),
    ]


def _make_clip(
    *, minimum: float | None = None, maximum: float | None = None
) -> FunctionTransformer:
    return FunctionTransformer(np.clip, kw_args={"a_min": minimum, "a_max": maximum})
