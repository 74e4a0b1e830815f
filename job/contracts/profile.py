"""What is kept of a table beside a model: aggregates that later tables are held against."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Size = Annotated[float, Field(ge=0)]


class _Kept(BaseModel):
    # NOTE: a later release may keep more
    model_config = ConfigDict(frozen=True, extra="ignore")


class Values(_Kept):
    """Classes, categories or truth values."""

    shares: dict[str, Share] = Field(
        description="By value; few rows' values are pooled as `(other)`, none is `(missing)`."
    )
    effective_rows: Size = Field(
        description="Rows that would tell as much, were each a unit by itself."
    )


class Numbers(_Kept):
    """Numbers, in bins between rounded deciles."""

    edges: list[float] = Field(description="Ends of the bins, ascending; a bin has its upper end.")
    shares: list[Share] = Field(description="Of the bins, and last of missing numbers.")
    effective_rows: Size = Field(
        description="Rows that would tell as much, were each a unit by itself."
    )


class Words(_Kept):
    """The words of texts; their digests are in `vocabulary.npy`."""

    n_rows: Count = Field(description="Texts that were looked at, drawn at random.")
    n_words: Count = Field(description="Words that enough leakage keys hold.")
    salt: str = Field(description="Of the digests.")
    is_masked: bool = Field(description="Whether ids, dates and amounts were left out.")
    unseen_share: Share = Field(
        description="Share of words in texts that too few other texts hold, as new ones would have."
    )
    standard_error: Size = Field(description="Of `unseen_share`, over units.")


class Directions(_Kept):
    """Mean and first principal axes of the embeddings."""

    n_rows: Count = Field(description="Rows that were looked at, drawn at random.")
    mean: list[float]
    mean_error: Size = Field(description="Root of the trace of the mean's covariance, over units.")
    spread: Size = Field(description="Root mean square distance of the rows from the mean.")
    effective_dimensions: float = Field(
        ge=1, description="(trace of the covariance)^2 / trace of its square, or less."
    )
    axes: list[list[float]] = Field(description="Unit vectors, first that of most variance.")
    distance_by_chance: Share = Field(
        description="Of the axes of one half of the rows and of the other."
    )


class Profile(_Kept):
    """Aggregates of one table, which later ones are held against."""

    model_config = ConfigDict(title="profile.json")

    n_rows: Count
    n_units: Count = Field(description="Groups, or families of near-duplicates.")
    parts: dict[str, Values | Numbers] = Field(
        description="`classes`, `text length` in characters, and `column <name>` of categorical, "
        "boolean and numeric columns, whether the model takes them or not."
    )
    words: Words | None = Field(description="null where there is no text.")
    embedding_model: str
    embeddings: Directions | None = Field(description="null where the model takes none.")
