"""How varied the wording of a table is, and how similar evaluated rows are to training rows.

Rows from a sentence template differ only in a few slots, such as names, ids or dates.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import (
    Cosine,
    Count,
    FourDecimals,
    Part,
    Probability,
    RoundedCosine,
    RoundedProbability,
    Tenths,
)

ItemKind = Literal["text", "embedding", "row"]


class GroupCounts(Part):
    """Numbers of rows and groups, and the effective number of groups."""

    n_rows: Count
    n_groups: Count
    n_effective_groups: Tenths = Field(
        description="Kish's effective number of groups, `sum(n)^2 / sum(n^2)` over the sizes n."
    )


class Templates(Part):
    """The number and share of rows from sentence templates."""

    min_rows: Count = Field(
        description="Minimum rows for a group of near-duplicates to count as a template."
    )
    n_templates: Count
    share: RoundedProbability = Field(
        description="Share of the table's rows that come from templates."
    )
    largest: tuple[RoundedProbability, ...] = Field(
        description="Shares of the table's rows in the largest groups of near-duplicates, largest "
        "first."
    )
    is_templated: bool = Field(
        description="Whether more than half of the rows come from templates."
    )


class SimilarityBin(Part):
    """Accuracy of rows whose similarity to the nearest training row is in [lower, upper)."""

    lower: Probability
    upper: Probability
    n_rows: Count
    n_groups: Count
    accuracy: RoundedProbability | None = Field(None, description="null: no such rows.")
    interval: Interval | None = Field(
        None, description="Interval of the accuracy over groups; null: fewer than `min_groups`."
    )


class SimilarityReport(Part):
    """Accuracy by the similarity of a row to the nearest training row of the model."""

    of: Literal["text", "embeddings"] = Field(description="What was compared.")
    n_rows: Count = Field(description="Evaluated rows that were compared.")
    n_items: Count = Field(description="Distinct texts or embeddings among the evaluated rows.")
    n_sampled_items: Count
    n_trained_items: Count = Field(
        description="Distinct texts or embeddings in the training rows, summed over the models."
    )
    n_sampled_trained_items: Count
    median: RoundedCosine = Field(description="Median similarity of the compared rows.")
    new_below: Cosine = Field(description="Rows with a lower similarity count as new wording.")
    n_new_rows: Count
    n_new_groups: Count
    min_groups: Count = Field(description="A bin with fewer groups has no interval.")
    level: Probability = Field(description="Confidence level of the intervals.")
    bins: tuple[SimilarityBin, ...]


class Standardization(Part):
    """Whether columns of embeddings look standardized within the table."""

    n_rows: Count = Field(description="Rows that were examined.")
    mean_ratio: FourDecimals = Field(
        description="Median over the columns of |mean| / standard deviation."
    )
    scale_share: FourDecimals = Field(
        description="Share of the columns that have one of the two most common standard deviations."
    )
    length_variation: FourDecimals = Field(
        description="Standard deviation of the rows' lengths, divided by their mean."
    )
    is_standardized: bool


class Wording(Part):
    """How varied the wording of a table and of its evaluated rows is."""

    items: ItemKind = Field(description="What two rows have in common if they count as equal.")
    n_items: Count = Field(
        description="Number of distinct items (texts, embeddings or rows) in the table."
    )
    table: GroupCounts = Field(description="Counts of the complete table.")
    judged: GroupCounts = Field(description="Counts of the evaluated rows.")
    templates: Templates
    similarity: SimilarityReport | None = Field(
        description="null: the rows have neither texts nor embeddings."
    )
    standardization: Standardization | None = Field(
        description="null: the model takes no embeddings."
    )
