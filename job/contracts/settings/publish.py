"""Settings of the publication, the log and the package."""

from typing import Literal

from pydantic import Field, field_validator

from job.contracts.settings.base import Spec, require_unique
from job.contracts.settings.search import FeatureName
from job.contracts.store_keys import CHANNEL, is_channel


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


class PackageSpec(Spec):
    """What a published model promises."""

    compatible_with: tuple[Literal["scikit-learn==1.4.2"], ...] = Field(
        ("scikit-learn==1.4.2",),
        description="Other versions that the model must load in; `[]` for none.",
    )
    allowed_inputs: tuple[FeatureName, ...] | None = Field(
        None,
        description="Feature blocks that the consumer can send; unset: those of `features.use`.",
    )

    @field_validator("allowed_inputs")
    @classmethod
    def _named_once(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else require_unique(value)
