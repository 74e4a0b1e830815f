"""Where a table comes from, and what its exporter says about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from job.contracts.shown_names import select_notes


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The origin of a table, as facts that can be verified later.

    Attributes
    ----------
    embedding_gaps, embedding_strays
        With one column for each dimension: ranges of missing numbers, such as `4 to 6`, and columns
        with the prefix that have no number.
    """

    uri: str
    format: str
    n_bytes: int
    modified_at: datetime
    file_digest: str
    content_digest: str
    metadata: tuple[tuple[str, str], ...] = ()
    sidecar: tuple[tuple[str, str], ...] = ()
    ignored_columns: tuple[str, ...] = ()
    absent_columns: tuple[str, ...] = ()
    embedding_gaps: tuple[str, ...] = ()
    embedding_strays: tuple[str, ...] = ()

    def metadata_value(self, name: str) -> str | None:
        """Return the value of a metadata key; the sidecar file takes precedence over the table.

        Return None if the value may not be shown (`job.contracts.shown_names`).
        """
        return select_notes(self.metadata + self.sidecar).get(name)
