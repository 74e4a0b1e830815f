"""The facts that `pcc-job run` shows first: score, difference to the champion, weakest class."""

from __future__ import annotations

from pydantic import Field

from job.contracts.reports.intervals import Interval
from job.contracts.reports.part import Count, Part, Probability, Rounded, RoundedProbability
from job.contracts.reports.published_file import VersionName


class HeadlineScore(Part):
    """The score by which the search chose the candidate, with its confidence interval."""

    metric: str = Field(description="Name of the metric, `search.metric`.")
    value: Rounded = Field(description="`scores` of evaluation.json has the same value.")
    lower: Rounded | None = Field(None, description="Lower bound; null: there is no interval.")
    upper: Rounded | None = Field(None, description="Upper bound; null: there is no interval.")
    level: Probability | None = Field(None, description="Confidence level of the interval.")


class ChampionDifference(Part):
    """The difference of the candidate to the champion, on rows that are new to both."""

    version: VersionName = Field(description="The champion.")
    metric: str = Field(description="Name of the compared metric.")
    difference: Interval | None = Field(
        description="Score of the candidate minus score of the champion; null: see `problem`."
    )
    problem: str = Field(description="Why the two cannot be compared; empty if they are.")


class WeakestClass(Part):
    """The class with the lowest recall."""

    name: str = Field(description="Name of the class.")
    recall: RoundedProbability = Field(description="Share of its rows that are predicted right.")
    n_rows: Count = Field(description="Evaluated rows of the class.")
