"""Promote the version that a run has published; a later attempt can finish the promotion.

How it works
------------
1. Before publication the run claims its version: it stores the version's name under the run id, so
   that later attempts use the same name.  It also records the champion that the gate compared with
   the candidate.
2. After publication, the channel moves to the version if it still points to that champion.
3. If the version's metadata request it, the channel's anchor is set as well.  Later candidates are
   compared with the anchor in addition to the champion.
4. A later attempt of an interrupted run repeats steps 2 and 3, if nothing else has moved the
   channel meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from job.contracts.identity import Digest, canonical_json
from job.contracts.plan import Plan
from job.contracts.ports import ArtifactStore
from job.contracts.reports.metadata import AnchorRequest
from job.contracts.store_keys import ProbeStep
from job.errors import VersionConflictError
from job.registry.anchors import read_anchor, set_anchor
from job.registry.channels import MoveReason, move_channel, read_channel, require_conditions
from job.registry.claims import Claim, claim
from job.registry.history import append_history, read_moves, read_pointer
from job.registry.publish import name_version
from job.registry.read_version import read_terms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from job.contracts.reports.gate import GateDecision
    from job.registry.champion import PublishedVersion

log = structlog.get_logger(__name__)


def propose_claim(plan: Plan, digests: Mapping[str, str], key_id: str) -> Claim:
    """Return the version name and digests that this process claims for the run.

    An earlier process of the same run (an attempt) may already have claimed another name.
    """
    return Claim(
        version=name_version(plan.run_id, plan.started_at),
        started_at=plan.started_at,
        digests=digests,
        key_id=key_id,
    )


def claim_version(
    plan: Plan, store: ArtifactStore, proposed: Claim, champion: PublishedVersion | None
) -> Claim:
    """Claim a version name for the run, or return the claim that an earlier attempt has stored.

    Also store which champion the gate compared with the candidate.  If a later attempt has to
    finish the promotion, it moves the channel only from this champion.
    """
    claimed = claim(store, plan.run_id, proposed)
    channel = plan.settings.publish.channel
    if channel is not None:
        seen = champion.pointer if champion else None
        content = {"channel": channel, "champion": champion.version if champion else None}
        store.put_if_absent(_seen_key(plan.run_id, channel, seen), canonical_json(content))
    return claimed


def choose_anchor(
    plan: Plan, version: str, decision: GateDecision, champion: PublishedVersion | None
) -> AnchorRequest | None:
    """Return the anchor that the version's promotion sets; None if the anchor does not change.

    If the table has too few groups to show a difference of `gate.margin`, `gate.inconclusive` can
    accept the candidate.  If the candidate was then compared with no anchor, the current champion
    becomes the anchor.  Later candidates are also compared with this anchor, so a slow decline is
    noticed.

    If the run has `--override`, and the channel's anchor cannot be compared any more, `version`
    becomes the anchor.
    """
    anchors = [comparison for comparison in decision.comparisons if comparison.role == "anchor"]
    if plan.override is not None:
        incomparable = next((a for a in anchors if a.is_advisory and a.difference is None), None)
        if incomparable is None:
            return None
        return AnchorRequest(version=version, replaces=incomparable.version)
    if champion is not None and not anchors and decision.rests_on_default:
        return AnchorRequest(version=champion.version, replaces=None)
    return None


def promote_accepted(
    plan: Plan,
    claimed: Claim,
    store: ArtifactStore,
    champion: PublishedVersion | None,
    abilities: tuple[ProbeStep, ...],
    *,
    at: datetime,
    override: str | None = None,
) -> None:
    """Move the channel to the published version, then set the anchor if the metadata request one.

    The channel moves only if it still points to `champion`, the version that the gate compared with
    the candidate.  If `publish.channel` is not set, nothing is done.

    Parameters
    ----------
    at
        Time of the move, for the history.
    """
    channel = plan.settings.publish.channel
    if channel is None:
        return
    require_conditions(store.uri, abilities)
    move_channel(
        store,
        channel,
        claimed.version,
        expected=champion.pointer if champion else None,
        reason=_reason(at, plan.run_id, _why(override)),
    )
    _set_anchor(store, channel, claimed.version, at=at, by=plan.run_id)


def finish_interrupted(
    plan: Plan,
    store: ArtifactStore,
    version: str,
    abilities: tuple[ProbeStep, ...],
    *,
    at: datetime,
) -> None:
    """Promote the version that an interrupted process of this run has published.

    If the run has already moved the channel, the channel is not moved again.  The history gets the
    time `at`.

    Raises
    ------
    VersionConflictError
        Something else has moved the channel meanwhile; an operator has to decide where the channel
        should point.
    """
    channel = plan.settings.publish.channel
    if channel is None or plan.is_dry_run:
        return
    require_conditions(store.uri, abilities)
    present, pointer = read_channel(store, channel)
    if present == version and pointer is not None:
        append_history(store, channel, read_pointer(channel, pointer))
        _set_anchor(store, channel, version, at=at, by=plan.run_id)
        return
    if any(move.to == version for move in read_moves(store, channel)):
        return
    if store.head(_seen_key(plan.run_id, channel, pointer)) is None:
        raise _channel_has_moved(channel, present, version)
    override = read_terms(store, version).override
    why = f"{_why(override.reason if override else None)}; promotion finished by a later attempt"
    reason = _reason(at, plan.run_id, why)
    move_channel(store, channel, version, expected=pointer, reason=reason)
    _set_anchor(store, channel, version, at=at, by=plan.run_id)


def _channel_has_moved(channel: str, present: str | None, version: str) -> VersionConflictError:
    change = f"moved to {present}" if present else "removed"
    compare = f"compare them with `pcc-job models diff {present} {version}`, then "
    return VersionConflictError(
        f"channel '{channel}' was {change} after the gate had judged {version}",
        hint=f"{compare if present else ''}run `pcc-job models promote {version}` if it is the "
        "better one",
    )


def _set_anchor(store: ArtifactStore, channel: str, version: str, *, at: datetime, by: str) -> None:
    """Set the anchor that the version's metadata request, unless it was moved meanwhile."""
    request = read_terms(store, version).sets_anchor
    if request is None:
        return
    expected = None
    if request.replaces is not None:
        present, expected = read_anchor(store, channel)
        if present != request.replaces:
            return
    why = (
        "the gate's default decided: the table cannot show gate.margin"
        if expected is None
        else f"{request.replaces} can no longer be compared"
    )
    reason = _reason(at, by, why)
    try:
        is_set = set_anchor(store, channel, request.version, expected=expected, reason=reason)
    except VersionConflictError as error:  # the channel's move stands
        log.warning("anchor_not_set", channel=channel, reason=error.message)
        return
    if is_set:
        log.info("anchor_set", channel=channel, version=request.version, why=why)


def _reason(at: datetime, by: str, why: str) -> MoveReason:
    return MoveReason(at=at.isoformat(), by=by, why=why)


def _why(override: str | None) -> str:
    return "accepted by the gate" if override is None else f"against the gate: {override}"


def _seen_key(run_id: str, channel: str, pointer: bytes | None) -> str:
    """Return the key of the object which records that this run has read this pointer."""
    state = "unset" if pointer is None else Digest.of(pointer).hex
    return f"runs/{run_id}/seen/{channel}-{state}.json"
