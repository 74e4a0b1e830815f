"""Base class and types shared by the sections of the settings."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from job.contracts.messages import quote_list

Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Spec(BaseModel):
    """Base class of all sections: frozen; unknown keys and infinite or NaN values are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def require_unique(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names unchanged; raise `ValueError` if one occurs twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"duplicate values: {quote_list(twice)}; expected each value once")
    return names
