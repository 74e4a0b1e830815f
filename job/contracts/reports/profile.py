"""The profile of a table: aggregates that later tables are compared with."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Size = Annotated[float, Field(ge=0)]


class _Kept(BaseModel):
    # NOTE: a later release may keep more
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Part(_Kept):
    missing: Share = Field(description="Share of rows without a value.")
    expected_index: Size = Field(
        description="Stability index that drawing such groups makes by itself, on average."
    )
    degrees_of_freedom: Size = Field(
        description="Of the scaled chi-squared that the index follows."
    )


class Values(_Part):
    """Classes, categories or truth values."""

    shares: dict[str, Share] = Field(description="By value, of those that may be named.")
    standard_errors: dict[str, Size] = Field(description="Of the shares, over groups.")
    other: Share = Field(description="Share of all other values.")


class Numbers(_Part):
    """Numbers, in bins between deciles."""

    edges: list[float] = Field(description="Ends of the bins, ascending; a bin has its upper end.")
    ties: list[float] = Field(description="Edges that many rows hold: each is a bin of its own.")
    shares: list[Share] = Field(description="Of the bins, ascending; a tie is before what follows.")


class Words(_Kept):
    """The words of texts; their digests are in `vocabulary.npy`."""

    n_rows: Count = Field(description="Texts that were looked at, drawn at random.")
    salt: str = Field(description="Of the digests.")
    n_words: Count = Field(description="Words that enough groups hold.")
    is_masked: bool = Field(description="Whether ids, dates and amounts were left out.")
    unseen_share: Share = Field(
        description="Share of words in texts that too few other groups hold, as in new texts."
    )
    standard_error: Size = Field(description="Of `unseen_share`, over groups.")


class PrincipalAxes(_Kept):
    """Mean and first principal axes of the embeddings, of one mean embedding for each group."""

    n_groups: Count = Field(description="Those of rows that were drawn at random.")
    mean: list[float] = Field(description="Mean of the groups' embeddings.")
    rms_distance: Size = Field(description="Root mean square distance of the groups from the mean.")
    effective_dimensions: float = Field(
        ge=1, description="(trace of the covariance)^2 / trace of its square, or less."
    )
    axes: list[list[float]] = Field(description="Unit vectors, first that of most variance.")
    explained_variance_ratio: Share = Field(
        description="Share of the variance along such axes, in groups that did not choose them."
    )
    standard_error: Size = Field(description="Of `explained_variance_ratio`.")


class Profile(_Kept):
    """Aggregates of one table, which later tables are compared with."""

    model_config = ConfigDict(title="profile.json")

    n_rows: Count = Field(description="Rows of the table.")
    n_groups: Count = Field(
        description="Groups, or groups of near-duplicates without a group column."
    )
    parts: dict[str, Values | Numbers] = Field(
        description="`classes`, `text length` in characters, and `column <name>` of categorical, "
        "boolean and numeric columns, whether the model takes them or not."
    )
    words: Words | None = Field(description="null where there is no text.")
    embedding_model: str = Field(description="Model that the embeddings come from.")
    embeddings: PrincipalAxes | None = Field(
        description="null where the model takes none, or of fewer than 20 groups."
    )
