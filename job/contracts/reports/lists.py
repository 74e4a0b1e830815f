"""The results of the commands that list versions and runs."""

from __future__ import annotations

from pydantic import Field

from job.contracts.reports.part import Count, Part
from job.contracts.reports.published_file import VersionName
from job.contracts.reports.run_record import RecordedOutcome


class ListedVersion(Part):
    """One version in a list; what its metadata.json does not tell is null."""

    version: VersionName = Field(description="Name of the version.")
    trained_at: str | None = Field(None, description="Start of its run, ISO 8601.")
    n_rows: Count | None = Field(None, description="Rows of its table.")
    metric: str | None = Field(None, description="Metric by which its candidate was chosen.")
    score: float | None = Field(None, description="Its score by this metric.")
    channels: tuple[str, ...] = Field((), description="Channels that point to it.")
    anchor_of: tuple[str, ...] = Field((), description="Channels whose anchor it is.")


class ModelList(Part):
    """The result of `pcc-job models list`."""

    store_uri: str
    versions: tuple[ListedVersion, ...] = Field(description="Newest first.")
    is_complete: bool = Field(description="Whether these are all versions of the store.")
    channels: dict[str, str | None] = Field(description="Version of each channel.")
    anchors: dict[str, str] = Field(description="Version of each channel's anchor.")


class ListedRun(Part):
    """The latest attempt of one run in a list; `outcome` is null if the record cannot be read."""

    run_id: str = Field(description="Name of the run.")
    attempt: Count = Field(description="Number of the attempt, from 1.")
    ended_at: str = Field(description="When the record was written, ISO 8601.")
    outcome: RecordedOutcome | None = Field(None, description="How the attempt ended.")
    version: str | None = Field(None, description="null: no version was published.")
    reason: str | None = Field(
        None, description="Why it was held back, rejected or failed, or the error or signal."
    )


class RunList(Part):
    """The result of `pcc-job runs list`."""

    store_uri: str
    runs: tuple[ListedRun, ...] = Field(description="Newest first.")
    is_complete: bool = Field(description="Whether these are all runs with a record.")
