"""Fold the standardization of columns into the coefficients of a linear model.

How it works
------------
1. The model was fitted to standardized columns `x' = w (x - m) / s`, with mean m, standard
   deviation s and weight w of each column x.  A decision value is `sum(coef * x') + intercept`.
2. With `new = coef * w / s`, the same value is `sum(new * x) + intercept - sum(new * m)`.  So a
   model with the coefficients `new` and this intercept takes the columns x.  Means, deviations and
   the number of training rows are then not needed, so they are not published.
3. The new coefficients and intercepts are computed in double precision.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from job.contracts.arrays import Array

_MIN_DEVIATION: Final = 1e-6  # of a column of rows of length 1; rounding makes them vary by 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnScaling:
    """Columns are multiplied by `factor` after `mean` is subtracted; shape (n_features,) each."""

    mean: Array
    factor: Array


def fold_scaling(preprocess: Any, classifier: Any) -> Any:
    """Return the fitted preprocessing without standardization; change the classifier in place.

    Parameters
    ----------
    preprocess
        Fitted preprocessing, as the module `preprocessing` builds it.
    classifier
        Classifier that was fitted to the output of `preprocess`: a linear model, a linear model
        calibrated on all rows, or a classifier that ignores its input.
    """
    n_features = classifier.n_features_in_ if hasattr(classifier, "n_features_in_") else 0
    plain, scaling = _split(preprocess, n_features)
    if scaling is not None:
        for model in _list_linear_models(classifier):
            model.coef_ = model.coef_.astype(np.float64) * scaling.factor
            model.intercept_ = model.intercept_.astype(np.float64) - model.coef_ @ scaling.mean
    return plain


def _list_linear_models(classifier: Any) -> list[Any]:
    if isinstance(classifier, CalibratedClassifierCV):
        return [calibrated.estimator for calibrated in classifier.calibrated_classifiers_]
    return [classifier] if hasattr(classifier, "coef_") else []


def _split(preprocess: Any, n_features: int) -> tuple[Any, ColumnScaling | None]:
    """Return the preprocessing without standardization, and the standardization or None."""
    if isinstance(preprocess, ColumnTransformer):
        return _split_columns(preprocess, n_features)
    plain = _without_scaler(preprocess)
    if plain is preprocess:
        return preprocess, None
    scaler = preprocess[-1]
    mean, factor = scaler.mean_.astype(np.float64), 1 / scaler.scale_.astype(np.float64)
    return plain, ColumnScaling(mean=mean, factor=factor)


def _split_columns(
    preprocess: ColumnTransformer, n_features: int
) -> tuple[ColumnTransformer, ColumnScaling]:
    """Apply `_split` to each part of a `ColumnTransformer`; multiply factors by part weights."""
    mean, factor = np.zeros(n_features), np.ones(n_features)
    weights, fitted = preprocess.transformer_weights or {}, []
    for name, part, columns in preprocess.transformers_:
        plain, scaling = _split(part, n_features)
        place = preprocess.output_indices_[name]
        if scaling is not None:
            mean[place], factor[place] = scaling.mean, scaling.factor
        factor[place] *= weights.get(name, 1.0)
        fitted.append((name, plain, columns))
    result = copy(preprocess)
    result.transformers_, result.transformer_weights = fitted, None
    result.transformers = [
        (name, _without_scaler(part), columns) for name, part, columns in preprocess.transformers
    ]
    return result, ColumnScaling(mean=mean, factor=factor)


def _without_scaler(part: Any) -> Any:
    """Return a transformer without its last step, if that step is a `StandardScaler`."""
    is_scaled = isinstance(part, Pipeline) and isinstance(part[-1], StandardScaler)
    return Pipeline(part.steps[:-1]) if is_scaled else part


def ignore_flat_columns(scaler: StandardScaler) -> Array:
    """Set the deviation of a column to 1, in place, if the column varies only by rounding.

    scikit-learn recognizes constant columns.  If rows are divided by their lengths in single
    precision, however, rounding makes a constant column vary.

    Returns
    -------
    factor
        Factor of each column, shape (width,), that corrects values standardized by the old
        deviation.
    """
    is_flat = np.sqrt(scaler.var_) < _MIN_DEVIATION
    factor: Array = np.where(is_flat, scaler.scale_, 1.0)
    scaler.scale_ = np.where(is_flat, 1.0, scaler.scale_)
    return factor
