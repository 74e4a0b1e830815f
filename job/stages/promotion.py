"""What becomes of an accepted version: its name is claimed, and the channel moves to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from job.contracts.plan import Plan
from job.contracts.ports import ArtifactStore
from job.contracts.stored import ProbeStep
from job.stages.channels import finish_promotion, promote, require_conditions
from job.stages.publish import claim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from job.stages.champion import Champion


def claim_version(plan: Plan, store: ArtifactStore, digests: Mapping[str, str]) -> Plan:
    """Take the version and time that the first attempt of this run id has fixed."""
    found = claim(store, plan.run_id, digests, version=plan.version, started_at=plan.started_at)
    return replace(plan, started_at=found.started_at)


def promote_accepted(
    plan: Plan,
    store: ArtifactStore,
    champion: Champion | None,
    abilities: tuple[ProbeStep, ...],
) -> None:
    """Move the channel, if there is one, from the champion that the gate has seen."""
    channel = plan.settings.publish.channel
    if channel is None:
        return
    require_conditions(store.uri, abilities)
    promote(
        store,
        channel,
        plan.version,
        expected=champion.pointer if champion else None,
        at=plan.started_at.isoformat(),
        by=plan.run_id,
        why="accepted by the gate",
    )


def finish_interrupted(
    plan: Plan, store: ArtifactStore, version: str, abilities: tuple[ProbeStep, ...]
) -> None:
    """Promote what this run id has published, if it was ended before it could."""
    channel, at = plan.settings.publish.channel, plan.started_at.isoformat()
    if channel is None or plan.is_dry_run:
        return
    require_conditions(store.uri, abilities)
    finish_promotion(store, channel, version, at=at, by=plan.run_id)
