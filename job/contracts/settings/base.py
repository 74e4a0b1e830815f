"""Base class and types that the sections of the settings share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from job.contracts.messages import quote_list

Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Spec(BaseModel):
    """Base of every section: frozen; an unknown key is an error, and so is a number without end."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def require_unique(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names; raise `ValueError` if one occurs twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{quote_list(twice)} stands twice")
    return names
