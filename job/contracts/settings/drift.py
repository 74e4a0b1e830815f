"""Settings of the drift measurement."""

from typing import Literal

from pydantic import Field

from job.contracts.settings.base import Share, Spec


class DriftSpec(Spec):
    """How far the table may be from that which the champion was trained on.

    What tables of these sizes exceed by chance once in a thousand times is no drift, whatever the
    thresholds are.
    """

    action: Literal["ignore", "warn", "fail"] = Field(
        "warn",
        description="What drift means: nothing is looked at, a warning in log and report, or the "
        "end of the run with exit code 4, before the search. A column that is gone is drift, too.",
    )
    psi: float = Field(
        0.25,
        gt=0,
        description="Most population stability index of the classes, of a column's values, and of "
        "the texts' lengths.",
    )
    class_share: Share = Field(
        0.1, description="Most that the share of a class may change, either way."
    )
    unseen_words: Share = Field(
        0.05,
        description="Most that the share of words which the champion's table had not, or hardly, "
        "may rise.",
    )
    mean_shift: float = Field(
        0.25,
        gt=0,
        description="Most distance of the embeddings' mean, in root mean square distances of the "
        "champion's rows from theirs.",
    )
    lost_variance: Share = Field(
        0.25,
        description="Most share of the embeddings' variance along the champion's first principal "
        "axes that may be lost.",
    )
