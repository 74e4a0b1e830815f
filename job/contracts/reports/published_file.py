"""The base class of published JSON files, and the types of version names and digests in them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from job.contracts.identity import canonical_json
from job.contracts.reports.part import Part
from job.contracts.strict_json import parse_json

VersionName = Annotated[str, Field(pattern="^v[0-9]{8}_[0-9]{6}_[0-9a-f]{8}$")]
DigestText = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class PublishedFile(Part):
    """A complete file, which consumers and other releases of the job read."""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Parse the bytes of the file as written by any release; drop keys that are unknown here.

        Raises
        ------
        ValueError
            The bytes are not a JSON file of this class.
        """
        return cls.model_validate(parse_json(raw), extra="ignore")

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        return canonical_json(self.to_json())
