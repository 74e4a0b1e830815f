"""The list of suspected label errors, which a run stores if the settings enable it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from pydantic import ConfigDict, Field

from job.contracts.reports.label_noise import LabelIssue
from job.contracts.reports.part import Count
from job.contracts.reports.published_file import PublishedFile


class ListedIssue(LabelIssue):
    """A row whose label is suspected to be wrong, with the row's id."""

    id: str | None = Field(
        None, description="Value of the id column; absent if the table has none."
    )


class LabelIssues(PublishedFile):
    """Rows with suspected labels: position, label and id of each; lowest label quality first."""

    model_config = ConfigDict(title="label_issues.json")

    n_rows: Count = Field(description="Rows that were examined.")
    issues: tuple[ListedIssue, ...] = Field(
        description="Rows with suspected labels, lowest label quality first."
    )

    @classmethod
    def of(
        cls, issues: Iterable[LabelIssue], n_rows: int, ids: dict[int, str | None] | None
    ) -> Self:
        """Create the list; `ids` are the rows' ids by position, or None without an id column."""
        listed = (
            ListedIssue(**issue.fields())
            if ids is None
            else ListedIssue(**issue.fields(), id=ids[issue.row])
            for issue in issues
        )
        return cls(n_rows=n_rows, issues=tuple(listed))

    def to_json(self) -> dict[str, Any]:
        """Return the list as a JSON object; a missing value of the id column is null."""
        return self.model_dump(mode="json", exclude_unset=True)
