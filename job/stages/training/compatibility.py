"""Return a fitted model what an older scikit-learn looks for, so that it loads there too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import structlog
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

log = structlog.get_logger(__name__)
_TOO_NEW: Final = "temperature"  # a calibration whose class scikit-learn 1.4.2 does not have


def make_compatible(model: Any, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Complete a fitted model in place, and give the versions it will load in.

    scikit-learn 1.4.2 reads `LogisticRegression.multi_class` and the matrix
    `TfidfTransformer._idf_diag`, which later versions no longer write.  Predictions are made in
    double precision, for single precision rounds otherwise in other versions of numpy.
    """
    if not wanted:
        return ()
    parts = list(_parts_of(model))
    if any(isinstance(p, CalibratedClassifierCV) and p.method == _TOO_NEW for p in parts):
        log.warning("compatibility_refused", wanted=list(wanted), reason="search.calibration")
        return ()
    for part in parts:
        if isinstance(part, LogisticRegression):
            part.multi_class = "auto"
            part.coef_ = part.coef_.astype(np.float64)
            part.intercept_ = part.intercept_.astype(np.float64)
        elif isinstance(part, FunctionTransformer) and part.kw_args == {"dtype": np.float32}:
            part.kw_args = {"dtype": np.float64}
        elif isinstance(part, FunctionTransformer) and "b" in (part.kw_args or {}):
            part.kw_args = {"b": part.kw_args["b"].astype(np.float64)}  # of a product of matrices
        elif isinstance(part, TfidfTransformer) and hasattr(part, "idf_"):
            part._idf_diag = sparse.csr_matrix(sparse.diags(np.asarray(part.idf_)))
    return wanted


def _parts_of(value: Any) -> Iterator[Any]:
    """Walk through everything fitted that a model holds."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _parts_of(item)
    elif isinstance(value, dict):
        yield from _parts_of(list(value.values()))
    elif isinstance(value, BaseEstimator) or type(value).__module__.startswith("sklearn."):
        yield value
        yield from _parts_of(list(getattr(value, "__dict__", {}).values()))
