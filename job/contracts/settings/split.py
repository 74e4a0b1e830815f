"""Settings of the hold-out and of near-duplicates."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from job.contracts.settings.base import Fraction, Spec

Similarity = Annotated[float, Field(ge=0.3, le=1)]


class SplitSpec(Spec):
    """How the hold-out is made."""

    method: Literal["hash", "stratified_group"] = Field(
        "hash",
        description="`hash`: within each class, groups are held out in the order of the salted "
        "hash of one of their keys; `stratified_group`: seeded. Both keep class shares.",
    )
    test_fraction: Fraction = Field(0.2, description="Share of each class's rows held out.")
    salt: str = Field("pcc", description="Salt of the keys' hash; another salt, another hold-out.")
    near_duplicates: Literal["auto", "text", "embeddings", "none"] = Field(
        "auto",
        description="What near-duplicates, which stay on one side, are found by; `auto`: texts, "
        "else the embeddings that the model takes. `none`: equal texts alone stay together.",
    )
    min_jaccard: Similarity = Field(
        0.5, description="Least share of 8-character runs that near-duplicate texts have in common."
    )
    min_cosine: Similarity = Field(
        0.97,
        description="Least cosine of near-duplicate embeddings, where texts are not looked at.",
    )

    @field_validator("salt", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value
