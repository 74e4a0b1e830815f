"""Promote by hand: move a channel or its anchor to a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from job.contracts.identity import Digest
from job.contracts.ports import ArtifactStore
from job.contracts.reports.results import AnchorMoveResult, MoveResult
from job.contracts.store_keys import anchor_pointer, describe_pointer
from job.errors import VersionConflictError
from job.registry import channels
from job.registry.anchors import read_anchor, set_anchor
from job.registry.channels import MoveReason, read_channel
from job.registry.read_version import verify_files


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualMove:
    """Who moves a channel or an anchor by hand, when and why.

    Attributes
    ----------
    expect
        Version that the pointer must be at now; None allows any version.
    reason
        Reason that the operator gave; None without one.
    is_dry_run
        Whether to verify the version only; nothing is written.
    """

    at: datetime
    by: str
    expect: str | None = None
    reason: str | None = None
    is_dry_run: bool = False

    def describe(self, what: str) -> MoveReason:
        """Return who moved the pointer, when and why; `what` says what was done."""
        why = what if self.reason is None else f"{what}: {self.reason}"
        return MoveReason(at=self.at.astimezone(UTC).isoformat(), by=self.by, why=why)


def promote(store: ArtifactStore, channel: str, version: str, move: ManualMove) -> MoveResult:
    """Verify a version, and move a channel to it.

    Raises
    ------
    VersionConflictError
        The channel is not at `move.expect` (the error names both), or was moved concurrently.
    IntegrityError
        The version is damaged.
    """
    verify_files(store, version)
    present, pointer = read_channel(store, channel)
    _require_at(channel, present, move.expect)
    if move.is_dry_run:
        return MoveResult(channel=channel, origin=present, to=version, is_dry_run=True)
    require_store_conditions(store, move.by)
    channels.move_channel(
        store,
        channel,
        version,
        expected=pointer,
        reason=move.describe("promoted by hand"),
    )
    return MoveResult(channel=channel, origin=present, to=version)


def promote_anchor(
    store: ArtifactStore, channel: str, version: str, move: ManualMove
) -> AnchorMoveResult:
    """Verify a version, and move the anchor of a channel to it; the channel is not moved.

    Raises
    ------
    VersionConflictError
        The anchor is not at `move.expect` (the error names both), or was moved concurrently.
    IntegrityError
        The version, or the anchor's pointer, is damaged.
    """
    verify_files(store, version)
    present, pointer = read_anchor(store, channel)
    _require_at(anchor_pointer(channel), present, move.expect)
    if move.is_dry_run:
        return AnchorMoveResult(
            channel=channel, anchor_from=present, anchor_to=version, is_dry_run=True
        )
    require_store_conditions(store, move.by)
    is_set = set_anchor(
        store,
        channel,
        version,
        expected=pointer,
        reason=move.describe("set by hand"),
    )
    if not is_set:
        _require_at(anchor_pointer(channel), read_anchor(store, channel)[0], version)
    return AnchorMoveResult(channel=channel, anchor_from=present, anchor_to=version)


def _require_at(pointer: str, present: str | None, expect: str | None) -> None:
    """Raise `VersionConflictError` if a pointer is not at the expected version."""
    if expect is None or present == expect:
        return
    if present is None:
        raise VersionConflictError(
            f"{describe_pointer(pointer)} points to no version; expected {expect}",
            hint="`pcc-job models list` shows channels and anchors; check the name of the channel, "
            "or run again without --expect to set the first version of the channel or anchor",
        )
    raise VersionConflictError(
        f"{describe_pointer(pointer)} points to {present}; expected {expect}",
        hint="`pcc-job models history` (with --anchor for an anchor) shows who moved it; if your "
        "move is still right, run again "
        f"with --expect {present}",
    )


def require_store_conditions(store: ArtifactStore, by: str) -> None:
    """Probe the store; raise `ConfigurationError` if it ignores the conditions of writes."""
    channels.require_conditions(store.uri, store.probe(actor_token(by)))


def actor_token(by: str) -> str:
    """Return a string that identifies the run or operator `by`, and that is valid in keys."""
    return Digest.of(by.encode()).hex[:16]
