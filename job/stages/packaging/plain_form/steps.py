"""Read the steps of fitted pipelines, and refuse a step that has no plain form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.polynomial.polynomial import polyval
from sklearn.preprocessing import FunctionTransformer

from job.contracts.arrays import Array
from job.errors import TrainingError


def refuse(step: object) -> NoReturn:
    """Raise an error which says that a step has no plain form."""
    function = getattr(step, "func", None)
    what = type(step).__name__ + (f"({function.__name__})" if function is not None else "")
    raise TrainingError(
        f"the model cannot be written as plain numbers (model.safetensors): {what} has no plain "
        "form",
        hint="use the estimators and settings that docs/model-format.md lists; if you changed the "
        "preprocessing, add its plain form to job/stages/packaging/plain_form",
    )


def calls(step: object, function: Callable[..., Any]) -> bool:
    """Return whether a step calls this function."""
    return isinstance(step, FunctionTransformer) and step.func is function


def read_line(step: Any) -> tuple[Array, Array]:
    """Return offset and scale of a step that computes `offset + scale * x`.

    The step calls `polyval` with coefficients of shape (2,) or (2, n_columns).
    """
    if not calls(step, polyval) or len(step.kw_args["c"]) != 2:
        refuse(step)
    offset, scale = np.asarray(step.kw_args["c"], np.float64)
    return offset, scale


def read_product(step: Any) -> Array:
    """Return the matrix of a step that multiplies by a fixed matrix."""
    if not calls(step, np.dot):
        refuse(step)
    return np.ascontiguousarray(step.kw_args["b"], np.float64)
