"""Settings of the publication, the log and the package."""

from typing import Literal

from pydantic import Field, field_validator

from job.contracts.settings.base import Spec, require_unique
from job.contracts.settings.search import FeatureName
from job.contracts.store_keys import CHANNEL, is_channel


class PublishSpec(Spec):
    """How an accepted model is published."""

    channel: str | None = Field(
        "production",
        pattern=CHANNEL,
        description="Channel to move to the new version. Unset: publish the version without moving "
        "a channel.",
    )

    @field_validator("channel")
    @classmethod
    def _is_channel(cls, value: str | None) -> str | None:
        if value is not None and not is_channel(value):
            raise ValueError("a channel must not be named 'latest' or like a version")
        return value

    min_changed_groups: int = Field(
        5,
        ge=0,
        description="Minimum number of groups by which the table must differ from the table of "
        "each version that consumers can read; the rows of one person count as one group. If fewer "
        "groups have changed, but at least one, the run ends as `held_back`: a comparison of the "
        "versions could reveal who was added or removed. `0`: no minimum.",
    )
    embedding_model: str = Field(
        "all-MiniLM-L6-v2",
        description="Name of the embedding model to write to metadata.json, used only if the "
        "table's own metadata has no key `embedding_model`. The default shown is for the "
        "upstream's table; for any other table it is `unknown`.",
    )
    intended_use: str | None = Field(
        None,
        description="Intended use, as stated in the model card. Unset: the card names only the "
        "input and the classes.",
    )


class LogsSpec(Spec):
    """The log on stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Minimum level of the logged events."
    )


class PackageSpec(Spec):
    """Guarantees of a published model."""

    compatible_with: tuple[Literal["scikit-learn==1.4.2"], ...] = Field(
        ("scikit-learn==1.4.2",),
        description="Other package versions with which the model must be loadable; only "
        "`scikit-learn==1.4.2` is supported. `[]`: none.",
    )
    allowed_inputs: tuple[FeatureName, ...] | None = Field(
        None,
        description="Feature blocks that the consumer can send. Unset: all of `features.use`.",
    )

    @field_validator("allowed_inputs")
    @classmethod
    def _named_once(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if value is None else require_unique(value)
