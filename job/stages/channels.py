"""The champion of a channel: a pointer that moves by compare-and-swap, and its history."""

from __future__ import annotations

import json

from job.contracts.digest import canonical_json
from job.contracts.ports import ArtifactStore
from job.errors import IntegrityError, VersionConflictError


def read_channel(store: ArtifactStore, channel: str) -> tuple[str | None, bytes | None]:
    """Give the version a channel points to, and the pointer's bytes."""
    raw = store.get(f"channels/{channel}.json")
    if raw is None:
        return None, None
    try:
        return str(json.loads(raw)["version"]), raw
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(
            f"channels/{channel}.json is not a channel pointer",
            hint="restore it from channels/*/history",
        ) from None


def promote(
    store: ArtifactStore,
    channel: str,
    version: str,
    *,
    expected: bytes | None,
    at: str,
    by: str,
    why: str,
) -> None:
    """Move a channel to a version.

    Raises
    ------
    VersionConflictError
        Somebody else moved it first.
    """
    before = None if expected is None else json.loads(expected)["version"]
    pointer = canonical_json({"version": version, "promoted_at": at, "run_id": by})
    if not store.compare_and_swap(f"channels/{channel}.json", expected, pointer):
        raise VersionConflictError(
            f"channel '{channel}' was moved by somebody else meanwhile",
            hint=f"{version} is published; look at the channel, then promote again",
        )
    move = canonical_json({"at": at, "by": by, "from": before, "to": version, "why": why})
    n = len(list(store.keys(f"channels/{channel}/history/"))) + 1
    while not store.put_if_absent(f"channels/{channel}/history/{n:06d}.json", move):
        n += 1
