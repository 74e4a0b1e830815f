"""Estimates of label noise, and the rows with suspected labels."""

from __future__ import annotations

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import Count, Part, Probability, Tenths


class ClassLabels(Part):
    """Rows labelled with one class, and the estimated number of wrong labels among them."""

    n_rows: Count
    n_wrong: Tenths = Field(description="Estimated number of wrong labels.")


class LabelPair(Part):
    """A given label, the likely correct label, and the estimated number of rows with both."""

    given: str
    likely: str
    n_rows: Tenths = Field(description="Estimated number of rows.")


class LabelIssue(Part):
    """A row whose label is suspected to be wrong."""

    row: Count = Field(description="Position in the table, from 0.")
    given: str = Field(description="Label in the table.")
    likely: str = Field(description="Label that is more probable.")
    label_quality: Probability = Field(
        description="Probability of the given label, predicted by a model that was not trained on "
        "the row."
    )


class LabelNoise(Part):
    """A model's estimate of the wrong labels among the training rows."""

    estimator: str = Field(
        description="The chosen estimator; logistic regression if the dummy classifier was chosen."
    )
    folds: Count
    level: Probability
    n_rows: Count = Field(
        description="Examined rows: all training rows, or a sample of whole groups."
    )
    n_groups: Count
    share: Interval = Field(
        description="Share of wrong labels, with its interval over resampled groups."
    )
    per_class: dict[str, ClassLabels]
    pairs: tuple[LabelPair, ...] = Field(
        description="Most frequent pairs of a given and a likely label."
    )
    # suspected rows, lowest label quality first; empty unless the list is enabled
    issues: SkipJsonSchema[tuple[LabelIssue, ...]] = Field((), exclude=True, repr=False)
