"""The champion of a channel: a pointer that moves by compare-and-swap, and its history."""

from __future__ import annotations

import json
from typing import Any

from job.contracts.digest import canonical_json
from job.contracts.ports import ArtifactStore
from job.contracts.stored import ProbeStep
from job.errors import ConfigurationError, IntegrityError, VersionConflictError


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


def require_conditions(store_uri: str, steps: tuple[ProbeStep, ...]) -> None:
    """Refuse to move a channel in a store that ignores conditions.

    Raises
    ------
    ConfigurationError
        Two who move the pointer at once would both be told that they won.
    """
    for step in steps:
        if step.name in ("creates_once", "swaps") and not step.is_met:
            raise ConfigurationError(
                f"'{store_uri}' ignores conditional writes (it answered {step.answer}), so no "
                "channel can be moved there; versions can be published",
                hint="use a store with conditional writes, or set publish.channel to null",
            )


def promote(
    store: ArtifactStore,
    channel: str,
    version: str,
    *,
    expected: bytes | None,
    at: str,
    by: str,
    why: str,
    action: str = "promote",
) -> None:
    """Move a channel to a version; where it is there already, nothing moves.

    The pointer holds its whole move, so that a history entry that a killed process left out is
    written by the next one that moves the channel.

    Raises
    ------
    VersionConflictError
        Somebody else moved it first.
    """
    before = None if expected is None else json.loads(expected)
    if before is not None:
        _write_down(store, channel, before)
        if before["version"] == version:
            return
    pointer = {
        "version": version,
        "promoted_at": at,
        "run_id": by,
        "move": 1 if before is None else before.get("move", 0) + 1,
        "from": None if before is None else before["version"],
        "why": why,
        "action": action,
    }
    if not store.compare_and_swap(f"channels/{channel}.json", expected, canonical_json(pointer)):
        _check_moved_by_twin(store, channel, version, by)
        return
    _write_down(store, channel, pointer)


def _check_moved_by_twin(store: ArtifactStore, channel: str, version: str, by: str) -> None:
    """Accept that another attempt of the same run has moved the channel to the same version."""
    present, _ = read_channel(store, channel)
    moves = list_history(store, channel)
    if present == version or any(m["to"] == version and m["by"] == by for m in moves):
        return
    raise VersionConflictError(
        f"channel '{channel}' was moved to {present} by somebody else, not to {version}",
        hint=f"{version} is published; look at the channel, then `pcc-job models promote` it",
    )


def list_history(store: ArtifactStore, channel: str) -> list[dict[str, Any]]:
    """Give every move of a channel, oldest first."""
    keys = list(store.keys(f"channels/{channel}/history/"))
    moves = [json.loads(store.get(key) or b"{}") for key in keys]
    _, raw = read_channel(store, channel)
    if raw is not None:
        pointer = json.loads(raw)
        if _key_of(channel, pointer) not in keys:
            moves.append(_move_of(pointer))
    return moves


def previous_version(store: ArtifactStore, channel: str) -> str | None:
    """Give the champion before the present one, past those that were rolled back."""
    champions: list[str] = []
    for move in list_history(store, channel):
        if move.get("action") == "rollback" and move["to"] in champions:
            del champions[champions.index(move["to"]) + 1 :]
        else:
            champions.append(move["to"])
    return champions[-2] if len(champions) > 1 else None


def finish_promotion(store: ArtifactStore, channel: str, version: str, *, at: str, by: str) -> None:
    """Move a channel to a version whose run was ended before it could.

    A channel that the run has moved already, or that has gone on to a later version, stays.
    """
    champion, pointer = read_channel(store, channel)
    if champion == version:
        _write_down(store, channel, json.loads(pointer or b"{}"))
    if champion is not None and champion >= version:
        return
    if any(move["to"] == version for move in list_history(store, channel)):
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


def _write_down(store: ArtifactStore, channel: str, pointer: dict[str, Any]) -> None:
    store.put_if_absent(_key_of(channel, pointer), canonical_json(_move_of(pointer)))


def _key_of(channel: str, pointer: dict[str, Any]) -> str:
    return f"channels/{channel}/history/{pointer.get('move', 0):06d}.json"


def _move_of(pointer: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": pointer.get("promoted_at"),
        "by": pointer.get("run_id"),
        "from": pointer.get("from"),
        "to": pointer["version"],
        "why": pointer.get("why"),
        "action": pointer.get("action", "promote"),
    }
