"""Where a table comes from, and on what installation and machine a run took place."""

from __future__ import annotations

from pydantic import Field

from job.contracts.reports.part import Count, Part
from job.contracts.reports.published_file import DigestText


class DatasetDescription(Part):
    """The origin of a table, and the notes (key-value metadata) that its exporter added.

    Only notes with known keys, whose values have the form that belongs to the key, are included:
    other notes may contain personal data.
    """

    uri: str = Field(description="Where the table was read.")
    format: str = Field(description="Format of the file: `parquet` or `csv`.")
    n_rows: Count = Field(description="Rows of the table.")
    n_bytes: Count = Field(
        description="Size of the file, rounded to two digits, so that it does not reveal the "
        "length of a row."
    )
    modified_at: str = Field(description="Last change of the file, ISO 8601.")
    file_digest: DigestText = Field(description="SHA-256 of the file's bytes.")
    content_digest: DigestText = Field(
        description="SHA-256 of the columns that were read; the same in every format."
    )
    description: str | None = Field(description="The exporter's description; null without one.")
    metadata: dict[str, str] = Field(description="Known notes in the file.")
    sidecar: dict[str, str] = Field(description="Known notes in the file's sidecar.")
    n_other_notes: Count = Field(description="Notes that are not included.")
    ignored_columns: tuple[str, ...] = Field(
        description="Columns of the table without a role; `column 3` if the name is not shown."
    )
    absent_columns: tuple[str, ...] = Field(
        description="Columns of the settings that the table does not have."
    )


class Environment(Part):
    """The installation and the machine of a run."""

    python: str = Field(description="Version of Python.")
    platform: str = Field(description="Operating system and architecture.")
    packages: dict[str, str | None] = Field(
        description="Version of each package; null: it is not installed."
    )
    git_revision: str | None = Field(description="Revision of the job; null if it is unknown.")
    cpu: str = Field(
        description="Kernels that BLAS uses: results are byte-identical with the same kernels."
    )
