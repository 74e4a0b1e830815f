"""The results of `pcc-job doctor`: what a store can do, and which lineage keys are missing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from job.contracts.reports.part import Part
from job.contracts.reports.published_file import VersionName


class ProbeAnswer(Part):
    """The answer of a store to one operation."""

    is_met: bool
    answer: str


class LineageCheck(Part):
    """The lineage keys that are mounted or stored, and those that versions need."""

    key_id: str | None = Field(description="Id of the current key; null: there is none yet.")
    source: Literal["mounted", "store"] | None = Field(
        description="Where the current key comes from; null: there is none yet."
    )
    needed_by: dict[str, tuple[VersionName, ...]] = Field(
        description="Versions that need a key, by its id."
    )
    missing: dict[str, tuple[VersionName, ...]] = Field(
        description="The same for keys that are neither mounted nor stored."
    )
    not_needed: tuple[str, ...] = Field(
        description="Ids of earlier keys that no readable version needs; they can be removed."
    )
    is_ready: bool = Field(description="Whether the keys of champion and anchor are there.")
    notes: tuple[str, ...] = Field(description="What the operator should know or do.")


class DoctorResult(Part):
    """The result of `pcc-job doctor`."""

    store_uri: str
    is_fit: bool
    steps: dict[str, ProbeAnswer]
    lineage: LineageCheck | None = Field(description="null: the store cannot be read.")
