"""Settings of the drift measurement."""

from typing import Literal

from pydantic import Field

from job.contracts.settings.base import Share, Spec


class DriftSpec(Spec):
    """Maximum drift from the table that the champion was trained on.

    A measure counts as drift only if it also exceeds what chance can explain.  This is the 99.9th
    percentile of the measure for two tables of the same sizes from the same distribution.
    """

    action: Literal["ignore", "warn", "fail"] = Field(
        "warn",
        description="What to do about drift from the champion's table. `ignore`: do not measure "
        "it. `warn`: warn in the log and in the report. `fail`: end the run with exit code 4 "
        "before the search. A missing column counts as drift.",
    )
    psi: float = Field(
        0.25,
        gt=0,
        description="Maximum population stability index (PSI) of the classes, of the values of a "
        "column, and of the text lengths.",
    )
    class_share: Share = Field(
        0.1,
        description="Maximum change of the share of a class, up or down (0.1: 10 percentage "
        "points).",
    )
    unseen_words: Share = Field(
        0.05,
        description="Maximum increase of the share of out-of-vocabulary words, relative to the "
        "champion's table (0.05: 5 percentage points).",
    )
    mean_shift: float = Field(
        0.25,
        gt=0,
        description="Maximum distance between the mean embeddings of this table and of the "
        "champion's table, divided by the root mean square distance of the rows of the champion's "
        "table from their mean.",
    )
    lost_variance: Share = Field(
        0.25,
        description="Maximum relative decrease of the explained variance ratio, from the "
        "champion's table to the new one (0.25: by a quarter, such as from 0.40 to 0.30). Both "
        "ratios are along the leading principal axes of the champion's table.",
    )
