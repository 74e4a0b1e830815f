"""Parts of evaluation.json about embeddings that are standardized anew for each batch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from job.contracts.reports.evaluation.parts import Count, IntervalPart, Part, Probability


class BatchScorePart(Part):
    """Batches in which most rows are of one class."""

    name: str = Field(alias="class")
    accuracy: Probability = Field(description="Standardized anew within each batch.")
    accuracy_as_given: Probability = Field(description="The same rows as they are in the table.")
    accuracy_recentered: Probability | None = Field(
        description="After the consumer recentered the batch; null: rows are not restored."
    )


class StressPart(Part):
    """The published model on held-out rows in batches of another class mix, standardized anew."""

    stated_by: Literal["settings", "suite", "check"] = Field(
        description="What says that embeddings are standardized per batch."
    )
    share: Probability = Field(description="Of a batch's rows that are of its class.")
    n_batch_rows: Count
    n_draws: Count = Field(description="Batches of each class.")
    n_rows: Count = Field(description="Held-out rows that batches are drawn from.")
    n_groups: Count
    n_classes_left_out: Count = Field(
        description="Classes with too few held-out rows for a batch, or beyond 500."
    )
    accuracy: Probability = Field(description="Mean over the classes.")
    accuracy_as_given: Probability
    accuracy_recentered: Probability | None
    interval: IntervalPart | None = Field(
        description="Of `accuracy`, over groups; null: fewer than five groups."
    )
    level: Probability
    worst: BatchScorePart
    classes: list[BatchScorePart]


class InputCheckPart(Part):
    """Bounds that a consumer compares a batch with; none of them is computed from rows."""

    measure: Literal["length_deviation", "column_means"] = Field(
        description="`length_deviation`: root mean square of length - 1 over the restored rows. "
        "`column_means`: rows * mean squared column mean / mean variance of a column."
    )
    lower: Annotated[float, Field(ge=0)]
    upper: Annotated[float, Field(gt=0)] | None
    min_rows: Annotated[int, Field(ge=1)] = Field(description="Fewest rows of a batch to check.")
