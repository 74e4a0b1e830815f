"""`Part`, the base class of published JSON objects, and the types of their numbers.

A part is a complete published file or an object in one, such as `challenge` in evaluation.json.
Parts are validated when they are created, and rounded when they are written: the run computes with
all digits of a number, and the file has six decimals.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import core_schema

_ROUNDING_ERROR = 1e-9
_N_DECIMALS = 6


class Part(BaseModel):
    """Base class of all published JSON objects: frozen, and unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,  # a command builds only the types that it uses
    )

    def fields(self) -> dict[str, Any]:
        """Return the unrounded values by field name, to build an object with additional fields."""
        return dict(self)

    def copy_with(self, **changes: object) -> Self:
        """Return a copy with some values replaced; the new values are validated."""
        return type(self).model_validate({**dict(self), **changes})

    def to_json(self) -> dict[str, Any]:
        """Return the published JSON object, with rounded numbers."""
        return self.model_dump(mode="json")


def is_none(value: object) -> bool:
    """Return whether a value is None; used as `exclude_if` of fields that are omitted if None."""
    return value is None


def _clip(lower: float, upper: float, value: Any) -> Any:
    """Return `value`; if a rounding error put it outside the bounds, return the nearest bound."""
    if isinstance(value, float):
        if lower - _ROUNDING_ERROR <= value < lower:
            return lower
        if upper < value <= upper + _ROUNDING_ERROR:
            return upper
    return value


def round_published(value: float) -> float:
    """Round a number to the decimals of published files.

    Decisions use rounded numbers, so that they agree with the numbers that readers see.
    """
    return round(value, _N_DECIMALS)


def _round(decimals: int) -> PlainSerializer:
    return PlainSerializer(partial(_round_number, decimals), return_type=float)


def _round_number(decimals: int, value: float) -> float:
    return round(value, decimals)


Count = Annotated[int, Field(ge=0)]
NonNegative = Annotated[float, Field(ge=0)]
Probability = Annotated[float, BeforeValidator(partial(_clip, 0.0, 1.0)), Field(ge=0, le=1)]
Cosine = Annotated[float, BeforeValidator(partial(_clip, -1.0, 1.0)), Field(ge=-1, le=1)]
# types of numbers that are published with six, one, four or nine decimals
Rounded = Annotated[float, _round(_N_DECIMALS)]
RoundedProbability = Annotated[Probability, _round(_N_DECIMALS)]
RoundedCosine = Annotated[Cosine, _round(_N_DECIMALS)]
Tenths = Annotated[NonNegative, _round(1)]
FourDecimals = Annotated[NonNegative, _round(4)]
NineDecimals = Annotated[float, _round(9)]


class NotPublished:
    """Base class of values that a `Part` holds in memory but never writes.

    Fields with these values are excluded from the file and from its schema.  All values of one
    subclass are equal, so that they do not affect whether two parts are equal.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self))

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> core_schema.CoreSchema:
        return core_schema.is_instance_schema(cls)
