"""Add attributes to a fitted model, so that older scikit-learn versions can load the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import structlog
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

log = structlog.get_logger(__name__)
_TOO_NEW: Final = "temperature"  # a calibration method that scikit-learn 1.4.2 does not have


def make_compatible(model: object, versions: tuple[str, ...]) -> tuple[str, ...]:
    """Add missing attributes in place, and return the package versions that can load the model.

    scikit-learn 1.4.2 reads `LogisticRegression.multi_class` and the matrix
    `TfidfTransformer._idf_diag`, which later versions no longer write.

    Returns
    -------
    versions
        The given versions; empty if the model contains a class that one of these versions lacks.
    """
    if not versions:
        return ()
    parts = list(iterate_parts(model))
    if any(isinstance(p, CalibratedClassifierCV) and p.method == _TOO_NEW for p in parts):
        log.warning("compatibility_refused", wanted=list(versions), reason="search.calibration")
        return ()
    for part in parts:
        if isinstance(part, LogisticRegression):
            part.multi_class = "auto"
        elif isinstance(part, TfidfTransformer) and hasattr(part, "idf_"):
            part._idf_diag = sparse.csr_matrix(sparse.diags(np.asarray(part.idf_)))
    return versions


def use_double_precision(model: object) -> None:
    """Convert a fitted model to double precision, in place.

    Versions of NumPy round single precision differently.  Inputs of the model that are in single
    precision keep their values.
    """
    for part in iterate_parts(model):
        if isinstance(part, LogisticRegression):
            part.coef_ = part.coef_.astype(np.float64)
            part.intercept_ = part.intercept_.astype(np.float64)
        elif isinstance(part, CountVectorizer):
            part.dtype = np.float64
        elif isinstance(part, FunctionTransformer) and part.kw_args:
            part.kw_args = {name: _to_double(value) for name, value in part.kw_args.items()}


def _to_double(value: object) -> object:
    """Convert an array or a type to double precision; return any other argument unchanged."""
    if isinstance(value, np.ndarray) and value.dtype == np.float32:
        return value.astype(np.float64)
    return np.float64 if value is np.float32 else value


def iterate_parts(value: object) -> Iterator[object]:
    """Yield every scikit-learn object inside a model, depth first."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from iterate_parts(item)
    elif isinstance(value, dict):
        yield from iterate_parts(list(value.values()))
    elif isinstance(value, BaseEstimator) or type(value).__module__.startswith("sklearn."):
        yield value
        yield from iterate_parts(list(getattr(value, "__dict__", {}).values()))
