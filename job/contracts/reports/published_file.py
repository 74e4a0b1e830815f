"""The base of whole JSON files, and the kinds of names in them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from job.contracts.identity import canonical_json
from job.contracts.reports.part import Part

VersionName = Annotated[str, Field(pattern="^v[0-9]{8}_[0-9]{6}_[0-9a-f]{8}$")]
DigestText = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class PublishedFile(Part):
    """A file that other releases of the job read, and consumers."""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read the file as any release wrote it; keys that this one does not know are left out.

        Raises
        ------
        ValueError
            The bytes are not such a file.
        """
        return cls.model_validate_json(raw, extra="ignore")

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        return canonical_json(self.to_json())
