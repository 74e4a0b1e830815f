"""What becomes of an accepted version: its name is claimed, and the channel moves to it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from job.contracts.identity import Digest, canonical_json
from job.contracts.plan import Plan
from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import ProbeStep
from job.errors import VersionConflictError
from job.registry.anchors import read_anchor, set_anchor
from job.registry.channels import promote, read_channel, require_conditions
from job.registry.history import append_history, read_moves, read_pointer
from job.registry.publish import claim
from job.registry.versions import read_verified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from job.contracts.reports.gate import GateDecision
    from job.registry.published import PublishedVersion

log = structlog.get_logger(__name__)


def claim_version(
    plan: Plan, store: ArtifactStore, digests: Mapping[str, str], champion: PublishedVersion | None
) -> Plan:
    """Take the version and time that the first attempt of this run id has fixed.

    The champion that the gate has seen is written down, so that an attempt that only finishes the
    promotion moves the channel from there, and from nowhere else.
    """
    found = claim(store, plan.run_id, digests, version=plan.version, started_at=plan.started_at)
    channel = plan.settings.publish.channel
    if channel is not None:
        seen = champion.pointer if champion else None
        content = {"channel": channel, "champion": champion.version if champion else None}
        store.put_if_absent(_seen_key(plan.run_id, channel, seen), canonical_json(content))
    return replace(plan, started_at=found.started_at)


def choose_anchor(
    plan: Plan, decision: GateDecision, champion: PublishedVersion | None
) -> dict[str, Any] | None:
    """Return which anchor the channel gets when this version is promoted, as metadata.json says it.

    The first promotion that rests on the gate's default makes its champion the anchor, so that no
    slide goes unseen; a run with `--override` makes its own version the anchor, where the channel's
    could not be compared any more.

    Returns
    -------
    anchor
        `version`, and `replaces`: the anchor until then, or None where there is none.  None: the
        anchor stays as it is.
    """
    anchors = [some for some in decision.comparisons if some.role == "anchor"]
    if plan.override is not None:
        lost = next((a for a in anchors if a.is_advisory and a.difference is None), None)
        return None if lost is None else {"version": plan.version, "replaces": lost.version}
    if champion is not None and not anchors and decision.rests_on_default:
        return {"version": champion.version, "replaces": None}
    return None


def promote_accepted(
    plan: Plan,
    store: ArtifactStore,
    champion: PublishedVersion | None,
    abilities: tuple[ProbeStep, ...],
    *,
    override: str | None = None,
) -> None:
    """Move the channel, if there is one, from the champion that the gate has seen.

    The version's own metadata say which anchor that sets.
    """
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
        why=_why(override),
    )
    _set_anchor(plan, store, channel, plan.version)


def finish_interrupted(
    plan: Plan, store: ArtifactStore, version: str, abilities: tuple[ProbeStep, ...]
) -> None:
    """Promote what this run id has published, if it was ended before it could.

    A channel that the run has moved already stays where it is.

    Raises
    ------
    VersionConflictError
        The channel is no longer where an attempt of this run found it: the operator decides.
    """
    channel = plan.settings.publish.channel
    if channel is None or plan.is_dry_run:
        return
    require_conditions(store.uri, abilities)
    present, pointer = read_channel(store, channel)
    if present == version and pointer is not None:
        append_history(store, channel, read_pointer(channel, pointer))
        _set_anchor(plan, store, channel, version)
        return
    if any(move.to == version for move in read_moves(store, channel)):
        return
    if store.head(_seen_key(plan.run_id, channel, pointer)) is None:
        raise VersionConflictError(
            f"channel '{channel}' has moved to {present} since {version} was judged",
            hint=f"compare them with `pcc-job models diff {present} {version}`, then "
            f"`pcc-job models promote {version}` if it is the better one",
        )
    promote(
        store,
        channel,
        version,
        expected=pointer,
        at=plan.started_at.isoformat(),
        by=plan.run_id,
        why=f"{_why(_override_of(store, version))}; promotion finished by a later attempt",
    )
    _set_anchor(plan, store, channel, version)


def _set_anchor(plan: Plan, store: ArtifactStore, channel: str, version: str) -> None:
    """Set the channel's anchor once the channel has moved; one that somebody has set stays."""
    asked = _metadata_of(store, version).get("sets_anchor")
    if asked is None:
        return
    expected = None
    if asked["replaces"] is not None:
        present, expected = read_anchor(store, channel)
        if present != asked["replaces"]:
            return
    why = (
        "the gate's default decided: the table cannot show gate.margin"
        if expected is None
        else f"{asked['replaces']} cannot be compared any more"
    )
    try:
        is_set = set_anchor(
            store,
            channel,
            asked["version"],
            expected=expected,
            at=plan.started_at.isoformat(),
            by=plan.run_id,
            why=why,
        )
    except VersionConflictError as error:  # the channel has moved all the same
        log.warning("anchor_not_set", channel=channel, reason=error.message)
        return
    if is_set:
        log.info("anchor_set", channel=channel, version=asked["version"], why=why)


def _why(override: str | None) -> str:
    return "accepted by the gate" if override is None else f"against the gate: {override}"


def _metadata_of(store: ArtifactStore, version: str) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads(read_verified(store, version)["metadata.json"])
    return metadata


def _override_of(store: ArtifactStore, version: str) -> str | None:
    """Return why a version was published against the gate, if it was."""
    override = _metadata_of(store, version).get("override")
    return None if override is None else str(override["reason"])


def _seen_key(run_id: str, channel: str, pointer: bytes | None) -> str:
    """Name the object that says that an attempt of this run saw the channel so."""
    state = "unset" if pointer is None else Digest.of(pointer).hex
    return f"runs/{run_id}/seen/{channel}-{state}.json"
