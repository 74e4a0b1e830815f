"""The content of manifest.json; a folder of files is a version once it has a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import ConfigDict, Field

from job.contracts.identity import Digest
from job.contracts.reports.part import Count, Part, is_none
from job.contracts.reports.published_file import DigestText, PublishedFile, VersionName


class FileEntry(Part):
    """One file of a version."""

    name: str = Field(description="Path below the version's folder, with `/` as separator.")
    n_bytes: Count = Field(description="Size of the file.")
    digest: DigestText = Field(description="SHA-256 of the file's bytes.")

    @classmethod
    def of(cls, name: str, data: bytes) -> Self:
        """Return the entry of a file with this name and these bytes."""
        return cls(name=name, n_bytes=len(data), digest=str(Digest.of(data)))


class Manifest(PublishedFile):
    """All files of a version except the manifest itself, which is written last."""

    model_config = ConfigDict(title="manifest.json")

    version: VersionName = Field(description="Name of the version, and of its folder.")
    run_id: str = Field(
        description="Run that published the version, or the actor that published the copy."
    )
    files: tuple[FileEntry, ...] = Field(description="Entries of the files, sorted by name.")
    copied_from: VersionName | None = Field(
        None,
        exclude_if=is_none,
        description="Original version, if this version is a rollback's copy. Absent otherwise.",
    )

    @classmethod
    def of(
        cls, version: str, run_id: str, files: Iterable[FileEntry], *, copied_from: str | None
    ) -> Self:
        """Create the manifest of these files."""
        entries = tuple(sorted(files, key=lambda entry: entry.name))
        return cls(version=version, run_id=run_id, files=entries, copied_from=copied_from)

    @property
    def entries(self) -> dict[str, FileEntry]:
        """The files by name."""
        return {entry.name: entry for entry in self.files}
