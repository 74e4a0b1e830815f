"""What is done with an accepted model, and what is logged: two sections of the settings."""

from typing import Literal

from pydantic import Field, field_validator

from job.contracts.dataset_specs import Spec
from job.contracts.stored import CHANNEL, is_channel


class PublishSpec(Spec):
    """What is done with an accepted model."""

    channel: str | None = Field(
        "production",
        pattern=CHANNEL,
        description="Channel that moves to the new version; null: none does.",
    )

    @field_validator("channel")
    @classmethod
    def _is_channel(cls, value: str | None) -> str | None:
        if value is not None and not is_channel(value):
            raise ValueError("a channel cannot be named 'latest' or like a version")
        return value

    embedding_model: str = Field(
        "all-MiniLM-L6-v2",
        description="Embedding model named to the consumer in metadata.json, where the table's own "
        "metadata has no `embedding_model`.",
    )
    intended_use: str | None = Field(
        None, description="Purpose as the model card states it; unset: input and classes alone."
    )


class LogsSpec(Spec):
    """What goes to stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged."
    )
