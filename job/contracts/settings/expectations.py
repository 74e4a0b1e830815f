"""Settings of the expectation suite."""

from typing import Any

from pydantic import Field, field_validator

from job.contracts.settings.addresses import require_readable
from job.contracts.settings.base import Spec


class ExpectationsSpec(Spec):
    """The expectation suite that validates the table."""

    suite: str = Field(
        "curated_training_data",
        description="Name of a suite in `expectations/`, or the path or `s3://` URI of your own. "
        "`auto`: `curated_training_data` for the upstream's table; for another table, "
        "`labelled_text`, `labelled_embeddings` or `labelled_text_embeddings`, by its features.",
    )

    @field_validator("suite")
    @classmethod
    def _is_readable(cls, value: str) -> str:
        return require_readable(value)

    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Values that replace the parameters (`$NAME`) of the suite. The defaults are "
        "in `meta.parameters` of the suite.",
    )
