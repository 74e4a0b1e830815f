"""The profile of a table: aggregates that later tables are compared with.

Somebody else may have written a stored profile.  The numbers of a part must therefore agree with
each other, and have magnitudes with which the measures of drift are finite.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_LARGEST: Final = 1e30
_LARGEST_FLOAT32: Final = 3.4e38
_MAX_VALUES: Final = 10_000


def _check_magnitude(value: float) -> float:
    if value and not 1 / _LARGEST <= abs(value) <= _LARGEST:
        raise ValueError("the number is too large or too close to 0")
    return value


_IN_RANGE: Final = AfterValidator(_check_magnitude)
Measured = Annotated[float, _IN_RANGE]
Share = Annotated[float, Field(ge=0, le=1), _IN_RANGE]
Count = Annotated[int, Field(ge=0)]
Size = Annotated[float, Field(ge=0), _IN_RANGE]


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

    @model_validator(mode="after")
    def _check_number_of_values(self) -> Self:
        if len(self.shares) > _MAX_VALUES:
            raise ValueError(f"there are more than {_MAX_VALUES} values")
        return self


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

    @model_validator(mode="after")
    def _check_bins(self) -> Self:
        edges, ties = self.edges, self.ties
        if not all(lower < upper for lower, upper in pairwise(edges)) or not {*ties} <= {*edges}:
            raise ValueError("the edges are not ascending, or a tie is not an edge")
        if any(abs(edge) > _LARGEST_FLOAT32 for edge in edges):
            raise ValueError("an edge is not a float32")
        if len(self.shares) != len(edges) + len({*ties}) + 1 or len(edges) > _MAX_VALUES:
            raise ValueError("the number of shares is not that of the bins")
        return self


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
    mean: list[Measured] = Field(description="Mean of the groups' embeddings.")
    rms_distance: Size = Field(description="Root mean square distance of the groups from the mean.")
    effective_dimensions: float = Field(
        ge=1,
        description="(trace of the covariance)^2 / trace of (covariance^2), or a lower estimate.",
    )
    axes: list[list[Measured]] = Field(description="Unit vectors, largest variance first.")
    explained_variance_ratio: Share = Field(
        description="Share of the variance along the axes, on groups that the axes were not "
        "fitted to."
    )
    standard_error: Size = Field(description="Standard error of `explained_variance_ratio`.")

    @model_validator(mode="after")
    def _check_axes(self) -> Self:
        if any(len(axis) != len(self.mean) for axis in self.axes) or not self.axes:
            raise ValueError("the axes do not have the columns of the mean")
        if not self.n_groups or not self.rms_distance:
            raise ValueError("there are no groups, or no distance between them")
        _check_magnitude(self.effective_dimensions)
        return self


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
