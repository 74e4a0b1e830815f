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


def finish_promotion(store: ArtifactStore, channel: str, version: str, *, at: str, by: str) -> None:
    """Move a channel to a version whose run was ended before it could.

    A channel that the run has moved already, or that has gone on to a later version, stays.
    """
    champion, pointer = read_channel(store, channel)
    if champion is not None and champion >= version:
        return
    for key in store.keys(f"channels/{channel}/history/"):
        if json.loads(store.get(key) or b"{}").get("to") == version:
            return
    promote(
        store,
        channel,
        version,
        expected=pointer,
        at=at,
        by=by,
        why="accepted by the gate; promotion finished by a later attempt",
    )
