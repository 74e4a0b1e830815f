"""Test the store and check the lineage keys (of the digests of rows), for `pcc-job doctor`."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

from job.cli.composition import open_store
from job.cli.lineage_keys import read_mounted_keys
from job.contracts.reports.checks import DoctorResult, ProbeAnswer
from job.registry.lineage_keys import LineageKeys

if TYPE_CHECKING:
    from job.settings import EffectiveSettings


def probe_store(effective: EffectiveSettings) -> DoctorResult:
    """Test the required operations on the store, and check the lineage keys."""
    store = open_store(effective.settings)
    token = f"doctor-{uuid.uuid4().hex}"
    steps = store.probe(token)
    if all(step.is_met for step in steps):
        from job.registry.write_race import probe_concurrent_creates

        steps = (*steps, probe_concurrent_creates(store, token))
    lineage = None
    if any(step.name == "reads" and step.is_met for step in steps):
        from job.registry.lineage_check import check_lineage

        settings = effective.settings
        keys = LineageKeys(store, read_mounted_keys(settings, os.environ))
        lineage = check_lineage(store, keys, settings.publish.channel, settings.gate.anchor)
    return DoctorResult(
        store_uri=store.uri,
        is_fit=all(step.is_met for step in steps),
        lineage=lineage,
        steps={step.name: ProbeAnswer(is_met=step.is_met, answer=step.answer) for step in steps},
    )


def describe_missing_abilities(missing: list[str]) -> str:
    """Return a hint that says what still works if a store lacks the operations `missing`."""
    if missing == ["creates_alone"]:
        return (
            "use the store with one writer at a time: runs can publish and channels can move, but "
            "two writers that move a channel at the same moment may both report success"
        )
    if set(missing) <= {"creates_once", "swaps"}:
        return (
            "use another store, or use --set publish.channel=null: the store does not enforce "
            "conditional writes (If-Match, If-None-Match), so versions can be published, but "
            "channels cannot be moved safely"
        )
    return "see the store's responses on stdout, and ask its operator"
