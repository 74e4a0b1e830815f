"""The base class of the parts of a plain form, and the types of their arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from job.contracts.arrays import Array


def _check_array(dtype: type[np.generic], n_dimensions: int) -> Callable[[object], Array]:
    def check(value: object) -> Array:
        if not isinstance(value, np.ndarray):
            raise ValueError("is not an array")
        if value.ndim != n_dimensions or value.dtype != dtype:
            raise ValueError(
                f"expected {np.dtype(dtype).name} with {n_dimensions} dimensions, "
                f"found {value.dtype.name} of shape {[*value.shape]}"
            )
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ValueError("has a number that is not finite")
        return value

    return check


Vector = Annotated[npt.NDArray[np.float64], PlainValidator(_check_array(np.float64, 1))]
Matrix = Annotated[npt.NDArray[np.float64], PlainValidator(_check_array(np.float64, 2))]
Positions = Annotated[npt.NDArray[np.int64], PlainValidator(_check_array(np.int64, 1))]
Bytes = Annotated[npt.NDArray[np.uint8], PlainValidator(_check_array(np.uint8, 1))]
Name = Annotated[str, Field(strict=True)]
Names = tuple[Name, ...]
Number = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Width = Annotated[int, Field(gt=0, le=2**20, strict=True)]


class FormPart(BaseModel):
    """Base class of the parts: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def require(is_true: bool, problem: str) -> None:
    """Raise `ValueError` with this message if `is_true` is False."""
    if not is_true:
        raise ValueError(problem)
