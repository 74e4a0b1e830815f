"""The profile of a table: aggregates that later tables are compared with."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Size = Annotated[float, Field(ge=0)]


class _Kept(BaseModel):
    # NOTE: a later release may store more keys
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Part(_Kept):
    missing: Share = Field(description="Share of rows without a value.")
    expected_index: Size = Field(
        description="Expected population stability index if only the sampling of groups differs."
    )
    degrees_of_freedom: Size = Field(
        description="Degrees of freedom of the scaled chi-squared distribution of the index."
    )


class Values(_Part):
    """Frequencies of the values of a categorical or boolean column, or of the classes."""

    shares: dict[str, Share] = Field(description="Share of each value that may be published.")
    standard_errors: dict[str, Size] = Field(description="Standard errors of the shares, by value.")
    other: Share = Field(description="Total share of all other values.")


class Numbers(_Part):
    """Frequencies of numbers, in bins between the deciles."""

    edges: list[float] = Field(
        description="Bin edges, ascending; a bin includes its upper edge, unless the edge is a tie."
    )
    ties: list[float] = Field(
        description="Edges to which many rows are equal: each has a bin for these rows alone."
    )
    shares: list[Share] = Field(
        description="Shares of the bins, in ascending order; a tie's bin follows the bin below it."
    )


class Words(_Kept):
    """Counts of the words of texts; digests of the words are in the lineage file."""

    n_rows: Count = Field(description="Texts in the random sample.")
    n_words: Count = Field(description="Words that enough persons use.")
    unseen_share: Share = Field(
        description="Expected share of out-of-vocabulary words in a new text: words that too few "
        "other persons use."
    )
    standard_error: Size = Field(description="Standard error of `unseen_share`, over groups.")


class PrincipalAxes(_Kept):
    """Mean and first principal axes of the embeddings, from one mean embedding per group."""

    n_groups: Count = Field(description="Groups of the randomly sampled rows.")
    mean: list[float] = Field(description="Mean of the groups' embeddings.")
    rms_distance: Size = Field(description="Root mean square distance of the groups from the mean.")
    effective_dimensions: float = Field(
        ge=1,
        description="(trace of the covariance)^2 / trace of (covariance^2), or a lower estimate.",
    )
    axes: list[list[float]] = Field(description="Unit vectors, largest variance first.")
    explained_variance_ratio: Share = Field(
        description="Share of the variance along the axes, on groups that the axes were not "
        "fitted to."
    )
    standard_error: Size = Field(description="Standard error of `explained_variance_ratio`.")


class Profile(_Kept):
    """Aggregates of one table, which later tables are compared with."""

    model_config = ConfigDict(title="profile.json")

    n_rows: Count = Field(description="Rows of the table.")
    n_groups: Count = Field(
        description="Values of the group column; groups of near-duplicates if it is absent."
    )
    parts: dict[str, Values | Numbers] = Field(
        description="`classes`, `text length` in characters, and `column <name>` of categorical, "
        "boolean and numeric columns, including columns that the model does not take."
    )
    words: Words | None = Field(description="null: the table has no text.")
    embedding_model: str = Field(description="Model that the embeddings come from.")
    embeddings: PrincipalAxes | None = Field(
        description="null: the model takes no embeddings, or there are fewer than 20 groups."
    )
