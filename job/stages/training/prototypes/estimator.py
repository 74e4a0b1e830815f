"""A prototype classifier that is exported as a pipeline of scikit-learn and NumPy.

How it works
------------
1. Each class has several centers (`job.stages.training.prototypes.centers`), to which noise is
   added (`job.stages.training.prototypes.center_noise`).
2. A row's features are its similarities to the centers: exp(cosine / temperature), divided by the
   sum over all centers.  These features are called *shares*, because they sum to 1.  For a row that
   is far from all centers, the nearest centers have the largest shares.  A linear classifier on the
   row's own values would extrapolate beyond the training data instead.
3. A logistic regression yields the probabilities.  Its inputs are the shares and, with a small
   weight, the row's values.  Each group has the same total sample weight.

These are normalized radial basis functions (Moody and Darken 1989) with softmax outputs.  Every
step is a matrix product or an elementwise function.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import ClassVar, Final, Literal

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, normalize
from sklearn.utils._param_validation import Interval, StrOptions

from job.contracts.arrays import Array
from job.errors import ConfigurationError
from job.stages.training.prototypes.center_noise import add_noise
from job.stages.training.prototypes.centers import place_centers
from job.stages.training.prototypes.items import Items, RowGroups, find_items

_MIN_TEMPERATURE: Final = 0.02  # exp(1 / .02) and its inverse still fit into single precision
_MAX_LENGTH_ERROR: Final = 1e-3  # a larger difference of a row's length from 1 is not rounding
_BLOCK: Final = 2048
_MAX_ITER: Final = 1000
_DECIMALS: Final = 3


class Prototypes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classifier by similarity to the centers of each class.

    Parameters
    ----------
    n_centers
        Maximum number of centers per class.
    temperature
        Divisor of the cosine.  The smaller the divisor, the fewer centers contribute to a row's
        shares.
    row_weight
        Weight of the row's values relative to the shares: the larger it is, the closer the
        model is to a logistic regression on the values alone.
    C, class_weight
        Parameters of the logistic regression; shares are small numbers, so a large C is usual.

    Attributes
    ----------
    pipeline_
        Fitted pipeline of scikit-learn and NumPy types only.  It contains centers and coefficients,
        but no row counts.
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "n_centers": [Interval(Integral, 1, None, closed="left")],
        "temperature": [Interval(Real, _MIN_TEMPERATURE, 10, closed="both")],
        "row_weight": [Interval(Real, 0, None, closed="left")],
        "C": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [StrOptions({"balanced"}), None],
        "random_state": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        *,
        n_centers: int = 80,
        temperature: float = 0.1,
        row_weight: float = 0.06,
        C: float = 10_000.0,
        class_weight: Literal["balanced"] | None = None,
        random_state: int | None = None,
    ) -> None:
        self.n_centers = n_centers
        self.temperature = temperature
        self.row_weight = row_weight
        self.C = C
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: Array, y: Array, groups: RowGroups) -> Prototypes:
        """Fit to rows of at least two classes; see `fit_prototypes`."""
        fit_prototypes([self], X, y, groups)
        return self

    def predict(self, X: Array) -> Array:
        """Return the most probable class of each row, shape (n_samples,)."""
        y_pred: Array = self.pipeline_.predict(X)
        return y_pred

    def predict_proba(self, X: Array) -> Array:
        """Return probabilities, shape (n_samples, n_classes), in the order of the classes."""
        proba: Array = self.pipeline_.predict_proba(X)
        return proba


def fit_prototypes(models: Sequence[Prototypes], X: Array, y: Array, groups: RowGroups) -> None:
    """Fit several models to the same rows; models with the same center parameters share centers.

    With one thread of BLAS and OpenMP, equal rows give bitwise equal models.

    Parameters
    ----------
    X
        Dense, shape (n_samples, n_features), in C order; rows are scaled to length 1.
    y
        Labels, shape (n_samples,).

    Raises
    ------
    ConfigurationError
        The matrix is sparse, or the rows have only one class.
    """
    _require_dense(X)
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ConfigurationError(
            "search.estimators.prototypes cannot be fitted: all training rows of a fold have one "
            "class",
            hint="add rows of the other classes, or lower search.folds, so that every fold has "
            "training rows of each class",
        )
    items = find_items(X, codes, groups.group)
    is_unit = _have_unit_length(X)
    X_items = X[items.rows] if is_unit else normalize(X[items.rows])
    for same in group_by_shared_centers(models):
        seed, min_groups = same[0].random_state or 0, groups.min_groups
        centers, center_label = place_centers(
            X_items, items, same[0].n_centers, min_groups=min_groups, random_state=seed
        )
        centers = add_noise(centers, center_label, X_items, items.label)
        for model in same:
            model.classes_, model.n_features_in_ = classes, X.shape[1]
            steps = _make_pipeline(model, X_items, items, centers, classes, is_unit=is_unit)
            model.pipeline_ = steps


def _require_dense(X: object) -> None:
    """Raise a `ConfigurationError` if the matrix is sparse."""
    if sparse.issparse(X):
        raise ConfigurationError(
            "search.estimators.prototypes needs dense inputs, but inputs with text are sparse",
            hint="use other estimators, or remove text from features.use or search.inputs",
        )


def group_by_shared_centers(models: Sequence[Prototypes]) -> list[list[Prototypes]]:
    """Group models into lists, so that the models of a list have the same center parameters."""
    by_parameters: dict[tuple[int, int | None], list[Prototypes]] = {}
    for model in models:
        by_parameters.setdefault((model.n_centers, model.random_state), []).append(model)
    return list(by_parameters.values())


def _make_pipeline(
    model: Prototypes, X: Array, items: Items, centers: Array, classes: Array, *, is_unit: bool
) -> Pipeline:
    """Build the pipeline of one model, and fit its logistic regression to the distinct rows."""
    shares = Pipeline(
        [
            ("cosines", _make_product((centers / model.temperature).T, X.dtype)),
            ("exponentials", FunctionTransformer(np.exp)),
            ("sum", Normalizer("l1")),
        ]
    )
    inputs = FeatureUnion(
        [("shares", shares), ("row", "passthrough")], transformer_weights={"row": model.row_weight}
    )
    # each group has a total weight of 1
    weights = 1 / np.bincount(items.group)[items.group]
    classifier = LogisticRegression(
        C=model.C, class_weight=model.class_weight, max_iter=_MAX_ITER, random_state=0
    )
    classifier.fit(
        inputs.transform(X).astype(np.float64),
        classes[items.label],
        sample_weight=weights,
    )
    classifier.coef_ = classifier.coef_.round(_DECIMALS)
    classifier.intercept_ = classifier.intercept_.round(_DECIMALS)
    first = [] if is_unit else [("normalizer", Normalizer())]
    return Pipeline([*first, ("inputs", inputs), ("classifier", classifier)])


def _make_product(matrix: Array, dtype: np.dtype[np.floating]) -> FunctionTransformer:
    """Return a transformer that multiplies by a fixed matrix of shape (n_features, n_columns)."""
    return FunctionTransformer(np.dot, kw_args={"b": np.ascontiguousarray(matrix, dtype)})


def _have_unit_length(X: Array) -> bool:
    """Return whether each row has length 1 or consists of zeros."""
    for start in range(0, len(X), _BLOCK):
        block = X[start : start + _BLOCK]
        norms = np.sqrt(np.einsum("nd,nd->n", block, block))
        if ((np.abs(norms - 1) > _MAX_LENGTH_ERROR) & (norms > 0)).any():
            return False
    return True
