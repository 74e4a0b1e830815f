"""Settings of the hold-out and of near-duplicates."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from job.contracts.settings.base import Fraction, Spec

Similarity = Annotated[float, Field(ge=0.3, le=1)]


class SplitSpec(Spec):
    """How the hold-out is chosen."""

    method: Literal["hash", "stratified_group"] = Field(
        "hash",
        description="`hash`: hold out groups of each class in the order of their salted hash. Most "
        "rows then keep their side of the split when the table changes. `stratified_group`: seeded "
        "random split. Both keep the class shares.",
    )
    test_fraction: Fraction = Field(0.2, description="Share of the rows of each class to hold out.")
    salt: str = Field(
        "pcc",
        description="Salt of the hashes that choose the hold-out. Another salt gives another "
        "hold-out.",
    )
    near_duplicates: Literal["auto", "text", "embeddings", "none"] = Field(
        "auto",
        description="How to find near-duplicates, which stay on the same side of every split. "
        "`text`, `embeddings`: by the similarity of the texts or of the embeddings. `auto`: by the "
        "texts if the table has any, otherwise by the embeddings if the model takes them. `none`: "
        "only rows of equal text stay together.",
    )
    min_jaccard: Similarity = Field(
        0.5,
        description="Minimum Jaccard similarity of two near-duplicate texts, computed from the "
        "sets of their 8-character shingles.",
    )
    min_cosine: Similarity = Field(
        0.97,
        description="Minimum cosine similarity of near-duplicate embeddings, if near-duplicates "
        "are found by embeddings.",
    )

    @field_validator("salt", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value
