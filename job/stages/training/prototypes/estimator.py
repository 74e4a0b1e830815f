"""A classifier by prototypes, which publishes itself as a pipeline of scikit-learn and NumPy.

How it works
------------
1. Each class has a few centers (`job.stages.training.prototypes.centers`).
2. A row is described by how near it is to each center: exp(cosine / temperature), divided by the
   sum over all centers.  So a row far from everything is described by what is least far, where a
   hyperplane would go on along a line that the table has never shown.
3. A logistic regression on these shares and, with a small weight, on the row itself gives the
   probabilities; each group weighs alike in it.
These are normalized radial basis functions (Moody and Darken 1989) with softmax outputs.  Every
step is a product of matrices or a function of single values.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, normalize
from sklearn.utils._param_validation import Interval, StrOptions

from job.errors import ConfigurationError
from job.stages.training.prototypes.centers import place_centers
from job.stages.training.prototypes.items import Items, RowGroups, find_items

Array = npt.NDArray[Any]
_MIN_TEMPERATURE: Final = 0.02  # exp(1 / .02) and its inverse are numbers of single precision
_MAX_LENGTH_ERROR: Final = 1e-3  # difference of a row's length from 1 that is rounding
_BLOCK: Final = 2048
_MAX_ITER: Final = 1000
_DECIMALS: Final = 3


class Prototypes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify by the centers near a row.

    Parameters
    ----------
    n_centers
        Centers of a class, at most.
    temperature
        Of the cosine: the smaller, the fewer centers describe a row.
    row_weight
        Of the row's own values beside the shares: the larger, the more of a hyperplane there is.
    C, class_weight
        Of the logistic regression; shares are small numbers, so that a large C is usual.

    Attributes
    ----------
    pipeline_
        Types of scikit-learn and NumPy alone.  It holds centers and coefficients, and no count of
        rows.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
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
        """Fit to rows of two classes or more, as `fit_prototypes` does."""
        fit_prototypes([self], X, y, groups)
        return self

    def predict(self, X: Array) -> Array:
        """Return the most probable class of each row, shape (n_samples,)."""
        found: Array = self.pipeline_.predict(X)
        return found

    def predict_proba(self, X: Array) -> Array:
        """Return probabilities of shape (n_samples, n_classes), classes in order."""
        found: Array = self.pipeline_.predict_proba(X)
        return found


def fit_prototypes(models: Sequence[Prototypes], X: Any, y: Array, groups: RowGroups) -> None:
    """Fit models to the same rows; those that differ in their temperature alone share centers.

    With one thread of BLAS and OpenMP, equal rows give equal bits.

    Parameters
    ----------
    X
        Dense, shape (n_samples, n_features), in C order; rows are brought to length 1.
    y
        Labels, shape (n_samples,).

    Raises
    ------
    ConfigurationError
        The matrix is sparse, or the rows have one class alone.
    """
    if sparse.issparse(X):
        raise ConfigurationError(
            "search.estimators.prototypes needs dense inputs, and those with text are sparse",
            hint="search other estimators, or set features.use (or search.inputs) without text",
        )
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ConfigurationError(
            "search.estimators.prototypes needs rows of two classes, and these have one",
            hint="add rows of the smallest classes, or lower search.folds",
        )
    items = find_items(X, codes, groups.group)
    is_unit = _are_unit(X)
    own = X[items.rows] if is_unit else normalize(X[items.rows])
    for some in with_same_centers(models):
        seed, min_groups = some[0].random_state or 0, groups.min_groups
        centers = place_centers(
            own, items, some[0].n_centers, min_groups=min_groups, random_state=seed
        )
        for model in some:
            model.classes_, model.n_features_in_ = classes, X.shape[1]
            model.pipeline_ = _publish(model, own, items, centers, classes, is_unit=is_unit)


def with_same_centers(models: Sequence[Prototypes]) -> list[list[Prototypes]]:
    """Return the models in lists of those whose centers are the same on equal rows."""
    found: dict[tuple[int, int | None], list[Prototypes]] = {}
    for model in models:
        found.setdefault((model.n_centers, model.random_state), []).append(model)
    return list(found.values())


def _publish(
    model: Prototypes, X: Array, items: Items, centers: Array, classes: Array, *, is_unit: bool
) -> Pipeline:
    """Build the pipeline of one model, its logistic regression fitted to the items."""
    shares = Pipeline(
        [
            ("cosines", _product((centers / model.temperature).T, X.dtype)),
            ("exponentials", FunctionTransformer(np.exp)),
            ("sum", Normalizer("l1")),
        ]
    )
    inputs = FeatureUnion(
        [("shares", shares), ("row", "passthrough")], transformer_weights={"row": model.row_weight}
    )
    # the sum of the weights is the number of groups
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


def _product(matrix: Array, dtype: Any) -> FunctionTransformer:
    """Return the product with a fixed matrix, of shape (n_features, n_columns)."""
    return FunctionTransformer(np.dot, kw_args={"b": np.ascontiguousarray(matrix, dtype)})


def _are_unit(X: Array) -> bool:
    """Return whether rows have length 1, or are zeros."""
    for start in range(0, len(X), _BLOCK):
        block = X[start : start + _BLOCK]
        norms = np.sqrt(np.einsum("nd,nd->n", block, block))
        if ((np.abs(norms - 1) > _MAX_LENGTH_ERROR) & (norms > 0)).any():
            return False
    return True
