"""Settings of the model's input."""

from typing import Literal

from pydantic import Field, field_validator

from job.contracts.settings.base import Spec, require_unique
from job.contracts.settings.search import FeatureName


class FeatureSpec(Spec):
    """Features of the model."""

    use: tuple[FeatureName, ...] = Field(
        ("embeddings",),
        min_length=1,
        description="Feature blocks that the model takes. `auto`: the embeddings of the upstream's "
        "table; for another table, what it has of text and embeddings.",
    )
    min_groups: int = Field(
        5,
        ge=1,
        description="Minimum number of persons whose rows contain a term or a category. Rarer "
        "terms and categories are not features. A person is a value of the group column; without "
        "one, near-duplicates and texts with the same e-mail address, phone number or id are of "
        "one person. A string that occurs only as part of an address, id, date or number is never "
        "a term. A class also needs rows of at least this many persons (5 if this setting is "
        "lower); otherwise, the class is dropped with its rows. A class that is among the labels "
        "of the expectation suite is not dropped for this reason.",
    )

    analyzers: tuple[Literal["word", "char_wb"], ...] = Field(
        ("word", "char_wb"),
        min_length=1,
        description="What is counted in texts. `word`: single words and pairs of adjacent words. "
        "`char_wb`: sequences of 2 to 5 characters within words.",
    )

    geometry: Literal["auto", "given"] = Field(
        "auto",
        description="`given`: take embeddings as they are. `auto`: if the columns were "
        "standardized and the scaling can be inferred from the table, undo it so that each row has "
        "length 1. The model then loses less accuracy on batches that were standardized "
        "differently. If the scaling cannot be inferred, `auto` works as `given`.",
    )

    @field_validator("use", "analyzers")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return require_unique(value)
