"""The pointer of a channel or an anchor, and the moves in its history."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from job.contracts.reports.part import Count, is_none
from job.contracts.reports.published_file import PublishedFile, VersionName

Action = Literal["promote", "rollback"]


class ChannelMove(PublishedFile):
    """One move of a channel, `channels/NAME/history/NUMBER.json`."""

    model_config = ConfigDict(title="channel move")

    at: str | None = Field(
        None,
        description="Moment of the move, ISO 8601; null if it is unknown. In stores of earlier "
        "releases, the start of the run that moved the channel.",
    )
    by: str | None = Field(
        None, description="Run id or operator; null if the pointer was restored by hand."
    )
    origin: VersionName | None = Field(
        None, alias="from", description="Version before the move; null for the first move."
    )
    to: VersionName = Field(description="Version after the move.")
    why: str | None = Field(None, description="Reason for the move.")
    action: Action = Field("promote", description="Whether the move was a promotion or a rollback.")
    copy_of: VersionName | None = Field(
        None,
        exclude_if=is_none,
        description="Version whose files were published again as `to`. Absent without a copy.",
    )


class ChannelPointer(PublishedFile):
    """The file `channels/NAME.json`: a channel's current version, and the move that set it.

    A pointer that was restored by hand may have only the key `version`.
    """

    model_config = ConfigDict(title="channel pointer")

    version: VersionName = Field(description="Version that consumers of the channel use.")
    promoted_at: str | None = Field(None, description="Moment of the last move, ISO 8601.")
    run_id: str | None = Field(None, description="Run id or operator that moved the channel.")
    move: Count = Field(
        0, description="Number of the last move in the channel's history, from 1; 0: unknown."
    )
    origin: VersionName | None = Field(
        None, alias="from", description="Version before the last move; null for the first move."
    )
    why: str | None = Field(None, description="Reason for the last move.")
    action: Action = Field(
        "promote", description="Whether the last move was a promotion or a rollback."
    )
    champions: tuple[VersionName, ...] | None = Field(
        None,
        exclude_if=is_none,
        description="Earlier versions that a rollback can return to, newest first, at most 50. "
        "Absent if an earlier release or a person wrote the pointer.",
    )
    copy_of: VersionName | None = Field(
        None,
        exclude_if=is_none,
        description="Version whose files were published again as `version`. Absent without a copy.",
    )

    @property
    def last_move(self) -> ChannelMove:
        """The last move of the channel, in the form of an entry of the history."""
        return ChannelMove(
            at=self.promoted_at,
            by=self.run_id,
            origin=self.origin,
            to=self.version,
            why=self.why,
            action=self.action,
            copy_of=self.copy_of,
        )
