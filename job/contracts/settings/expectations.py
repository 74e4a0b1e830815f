"""Settings of the expectation suite."""

from typing import Any

from pydantic import Field, field_validator

from job.contracts.settings.addresses import require_readable
from job.contracts.settings.base import Spec


class ExpectationsSpec(Spec):
    """The expectation suite that validates the table."""

    suite: str = Field(
        "curated_training_data",
        description="Name in `expectations/`, or the path of a suite of your own.",
    )

    @field_validator("suite")
    @classmethod
    def _is_readable(cls, value: str) -> str:
        return require_readable(value)

    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Values for the suite's `$PARAMETER`s; its `meta.parameters` are the defaults.",
    )
