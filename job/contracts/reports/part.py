"""The base class of published parts, and the types of their numbers.

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
    """Base class of everything that is published: frozen, and without unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def fields(self) -> dict[str, Any]:
        """Return the values by field name, unrounded, to build a part that has more fields."""
        return dict(self)

    def copy_with(self, **changes: object) -> Self:
        """Return a copy with other values, which are validated like those of a new part."""
        return type(self).model_validate({**dict(self), **changes})

    def to_json(self) -> dict[str, Any]:
        """Return the part as it is published."""
        return self.model_dump(mode="json")


def is_none(value: object) -> bool:
    """Return whether a value is None: `exclude_if` of keys that are absent instead of null."""
    return value is None


def _clip(lower: float, upper: float, value: Any) -> Any:
    """Return the bound if a number exceeds it by a rounding error only, else the number."""
    if isinstance(value, float):
        if lower - _ROUNDING_ERROR <= value < lower:
            return lower
        if upper < value <= upper + _ROUNDING_ERROR:
            return upper
    return value


def round_published(value: float) -> float:
    """Return a number as `Rounded` publishes it, so that comparisons use what readers see."""
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
    """Base class of values that a published object (`Part`) holds in memory but never writes.

    A field of such a type is excluded from the file and its schema.  Two parts are equal if their
    published content is equal.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self))

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> core_schema.CoreSchema:
        return core_schema.is_instance_schema(cls)
