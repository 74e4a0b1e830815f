"""The comparison of a candidate with another model: the champion or the anchor.

Recipes (unfitted models: estimator, hyperparameters and input) are compared by cross-fitted
predictions, published models by their own predictions.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import Count, Part, RoundedProbability


class RecallChange(Part):
    """Recall of one class in both models; the intervals of all classes hold simultaneously."""

    n_rows: Count
    champion_recall: RoundedProbability
    candidate_recall: RoundedProbability
    difference: Interval


class Comparison(Part):
    """Scores of a candidate and of another model on rows that neither was trained on."""

    role: Literal["champion", "champion_model", "anchor"] = Field(
        description="What the candidate is compared with. If `champion` compares recipes on shared "
        "groups, `champion_model` also compares the published models, on test rows."
    )
    version: str
    metric: str
    basis: Literal["new_rows", "shared_groups", "challenge"] = Field(
        "new_rows",
        description="`new_rows`: test rows that the other model was not trained on either; "
        "`shared_groups`: the groups in the tables of both runs, predicted by the cross-fitting of "
        "each run; `challenge`: the challenge set, predicted by both published models.",
    )
    n_rows: Count = 0
    n_groups: Count = 0
    n_excluded: Count = Field(
        0,
        description="Rows left out: the other model was trained on the row, its group or its "
        "text; or the table of the other run does not have the row's group with the same label.",
    )
    champion_score: float | None = None
    candidate_score: float | None = None
    difference: Interval | None = Field(
        None,
        description="Score of the candidate minus score of the other model. Each end of the "
        "interval is a one-sided bound at `gate.alpha`. null: there is no comparison; `problem` is "
        "the reason.",
    )
    standard_error: float | None = Field(
        None, description="Standard error of the difference; null if the two models are identical."
    )
    recalls: dict[str, RecallChange] = Field({}, description="Recall in both models, by class.")
    problem: str = ""
    is_advisory: bool = Field(
        False,
        exclude=True,
        description="Whether an unmet criterion of this comparison only warns. This is so if a "
        "comparison of recipes decides instead, or if a run set the anchor and the anchor cannot "
        "be compared.",
    )
