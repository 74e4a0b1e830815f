"""Parts of evaluation.json that describe how and on which wording a model was judged."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from job.contracts.reports.evaluation.parts import (
    Count,
    IntervalPart,
    Intervals,
    Part,
    Probability,
    Scores,
)

Effective = Annotated[float, Field(ge=0)]
Cosine = Annotated[float, Field(ge=-1, le=1)]


class CrossFit(Part):
    """Every group judged by models of the chosen recipe that did not see it."""

    n_folds: Count
    n_rows: Count
    n_groups: Count
    n_effective_groups: Effective = Field(description="`sum(n)^2 / sum(n^2)` over group sizes.")
    is_nested: bool = Field(description="Whether the recipe was chosen anew in every fold.")
    n_other_choices: Count = Field(description="Folds that chose another recipe.")


class Holdout(Part):
    """The published model on the held-out rows, where `scores` are of its recipe."""

    n_rows: Count
    n_groups: Count
    scores: Scores
    intervals: Intervals


class GroupCountsPart(Part):
    """Rows and their groups."""

    n_rows: Count
    n_groups: Count
    n_effective_groups: Effective = Field(description="`sum(n)^2 / sum(n^2)` over group sizes.")


class TemplatesPart(Part):
    """Groups of near-duplicates that are as large as sentence templates."""

    min_rows: Count = Field(description="Rows that make a group of near-duplicates a template.")
    n_templates: Count
    share: Probability = Field(description="Of the table's rows.")
    largest: list[Probability] = Field(
        description="Shares of the largest groups of near-duplicates."
    )
    is_templated: bool = Field(description="Whether templates hold more than half of the rows.")


class SimilarityBinPart(Part):
    """Rows with a similarity in [lower, upper)."""

    lower: Probability
    upper: Probability
    n_rows: Count
    n_groups: Count
    accuracy: Probability | None = Field(description="null: no such rows.")
    interval: IntervalPart | None = Field(description="null: fewer groups than `min_groups`.")


class SimilarityPart(Part):
    """Accuracy by similarity to the nearest row that the judging model was trained on."""

    of: Literal["text", "embeddings"]
    n_rows: Count = Field(description="Judged rows that were compared.")
    n_items: Count = Field(description="Distinct texts or embeddings among the judged rows.")
    n_sampled_items: Count
    n_trained_items: Count = Field(description="Of all models together.")
    n_sampled_trained_items: Count
    median: Cosine
    new_below: Cosine = Field(description="Rows below it have new wording.")
    n_new_rows: Count
    n_new_groups: Count
    min_groups: Count
    level: Probability
    bins: list[SimilarityBinPart]


class StandardizationPart(Part):
    """Whether the embeddings look standardized within the table."""

    n_rows: Count
    mean_ratio: Annotated[float, Field(ge=0)] = Field(
        description="Median over columns of |mean| / standard deviation."
    )
    scale_share: Probability = Field(description="Columns at the two most common scales.")
    length_variation: Annotated[float, Field(ge=0)] = Field(
        description="Standard deviation of the rows' lengths, divided by their mean."
    )
    is_standardized: bool


class GeometryPart(Part):
    """Whether the rows had length 1 before an affine map of each column, and were restored."""

    status: Literal["restored", "one_length", "too_few_rows", "too_wide", "not_found"] = Field(
        description="`restored`: the model sees rows of length 1; else it sees scaled columns."
    )
    n_rows: Count = Field(description="Training rows that were looked at.")
    n_distinct_rows: Count
    width: Count = Field(description="Columns of the embeddings.")
    prefix: Count | None = Field(
        description="Columns from the first one on that are restored, or came closest to it."
    )
    n_columns: Count = Field(description="Columns of the prefix with a part in those rows.")
    n_fitted_rows: Count
    n_held_out_rows: Count = Field(description="Rows that the map was checked on.")
    singular_values: list[Annotated[float, Field(ge=0)]] | None = Field(
        description="The smallest and the next; far apart where the rows had length 1."
    )
    length_deviation: Annotated[float, Field(ge=0)] | None = Field(
        description="Root mean square of |length - 1| over the restored held-out rows."
    )
    cosine_error: float | None = Field(
        description="Expected 1 - cosine of restored rows to the original ones."
    )


class Wording(Part):
    """The wording of the table and of its judged rows."""

    items: Literal["text", "embedding", "row"] = Field(description="What makes two rows equal.")
    n_items: Count = Field(description="Distinct ones in the table.")
    table: GroupCountsPart
    judged: GroupCountsPart
    templates: TemplatesPart
    similarity: SimilarityPart | None = Field(description="null: no texts and no embeddings.")
    standardization: StandardizationPart | None = Field(
        description="null: the model takes no embeddings."
    )
