"""Settings of the model's input."""

from typing import Literal

from pydantic import Field, field_validator

from job.contracts.settings.base import Spec, require_unique
from job.contracts.settings.search import FeatureName


class FeatureSpec(Spec):
    """What the model sees."""

    use: tuple[FeatureName, ...] = Field(
        ("embeddings",), min_length=1, description="Which feature blocks the model takes."
    )
    min_groups: int = Field(
        5,
        ge=1,
        description="A term, category or open-set class name is kept only if so many keys hold it.",
    )

    analyzers: tuple[Literal["word", "char_wb"], ...] = Field(
        ("word", "char_wb"),
        min_length=1,
        description="Terms of texts: words and pairs of words, 2 to 5 characters within words.",
    )

    geometry: Literal["auto", "given"] = Field(
        "auto",
        description="`given`: embeddings are taken as they are. `auto`: where columns were "
        "standardized and the table determines how, its rows get back length 1, so that a batch "
        "that was standardized anew costs less; other tables stay as they are.",
    )

    @field_validator("use", "analyzers")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return require_unique(value)
