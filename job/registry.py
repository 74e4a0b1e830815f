"""What one does with published versions: resolve, compare, fetch, promote, roll back."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from job.adapters.codecs.trial import find_load_problem
from job.contracts.digest import ModelVersion
from job.contracts.lists import shortened
from job.contracts.ports import ArtifactStore
from job.errors import ConfigurationError, IntegrityError, JobError, VersionConflictError
from job.stages import channels
from job.stages.channels import list_history, read_channel
from job.stages.prune import prune
from job.stages.publish import MANIFEST, publish
from job.stages.versions import is_version, list_versions, read_verified

__all__ = [
    "check_load",
    "diff",
    "fetch",
    "list_channels",
    "list_history",
    "list_versions",
    "promote",
    "prune",
    "read_metadata",
    "read_verified",
    "resolve",
    "roll_back",
]
_COMPARED: Final = (
    "classifier",
    "hyperparameters",
    "metrics",
    "settings",
    "classes",
    "input",
    "environment",
    "data_digest",
    "random_state",
    "compatible_with",
)


def resolve(store: ArtifactStore, name: str) -> str:
    """Find a version by its name, as `latest`, or as the name of a channel.

    Raises
    ------
    ConfigurationError
        There is none.
    """
    versions = list_versions(store)
    if name in versions:
        return name
    if name == "latest" and versions:
        return versions[-1]
    is_channel = bool(name) and not is_version(name) and "/" not in name and name[0] != "."
    pointed = read_channel(store, name)[0] if is_channel else None
    if pointed is None:
        raise ConfigurationError(
            f"no version or channel '{name}' in '{store.uri}'",
            hint=f"versions: {shortened(versions[::-1]) or 'none yet'}",
        )
    return pointed


def read_metadata(store: ArtifactStore, version: str) -> dict[str, Any]:
    """Give a version's metadata.json, verified."""
    content: dict[str, Any] = json.loads(read_verified(store, version)["metadata.json"])
    return content


def list_channels(store: ArtifactStore) -> dict[str, str | None]:
    """Give each channel's version."""
    keys = [key.split("/") for key in store.keys("channels/")]
    names = sorted(parts[1].removesuffix(".json") for parts in keys if len(parts) == 2)
    return {name: read_channel(store, name)[0] for name in names}


def diff(store: ArtifactStore, before: str, after: str) -> dict[str, Any]:
    """Give what differs between two versions: `{dotted key: {before, after}}`."""
    contents = [read_metadata(store, version) for version in (before, after)]
    flat = [dict(_flatten({k: c.get(k) for k in _COMPARED})) for c in contents]
    changed = {
        key: {"before": flat[0].get(key), "after": flat[1].get(key)}
        for key in sorted(flat[0].keys() | flat[1].keys())
        if flat[0].get(key) != flat[1].get(key)
    }
    return {"before": before, "after": after, "changed": changed}


def _flatten(content: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for key, value in content.items():
        nested = isinstance(value, dict) and value
        found += _flatten(value, f"{prefix}{key}.") if nested else [(f"{prefix}{key}", value)]
    return found


def fetch(store: ArtifactStore, version: str, directory: Path) -> Path:
    """Write a verified version below a folder, whole or not at all.

    Raises
    ------
    ConfigurationError
        The folder cannot be written.
    IntegrityError
        A file of the version is damaged.
    """
    target = directory / version
    made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".tmp-") as name:
            staged = Path(name) / version

            def write(key: str, data: bytes) -> None:
                (staged / key).parent.mkdir(parents=True, exist_ok=True)
                (staged / key).write_bytes(data)

            read_verified(store, version, write)
            if target.exists():
                target.rename(Path(name) / "before")
            staged.rename(target)
    except JobError:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    except OSError as error:
        raise ConfigurationError(
            f"'{directory}' cannot be written: {os.strerror(error.errno or 0)}",
            hint="choose another folder, or free space",
        ) from error
    return target


def promote(
    store: ArtifactStore, channel: str, version: str, *, at: datetime, by: str, expect: str | None
) -> dict[str, Any]:
    """Move a channel to a verified version.

    Raises
    ------
    VersionConflictError
        The channel is not at `expect`, or moved meanwhile; both versions are named.
    IntegrityError
        The version is damaged.
    """
    read_verified(store, version)
    present, pointer = read_channel(store, channel)
    if expect is not None and present != expect:
        raise VersionConflictError(
            f"channel '{channel}' is at {present}, not at {expect}",
            hint="look at `pcc-job models history`, then decide",
        )
    return _move(store, channel, version, pointer, at=at, by=by, why="promoted by hand")


def roll_back(
    store: ArtifactStore, channel: str, *, at: datetime, by: str, is_republished: bool
) -> dict[str, Any]:
    """Move a channel back to the champion before the present one.

    Parameters
    ----------
    is_republished
        Copy that version's bytes under a new name, for consumers that take the newest folder.

    Raises
    ------
    ConfigurationError
        The channel has no earlier champion.
    """
    _, pointer = read_channel(store, channel)
    target = channels.previous_version(store, channel)
    if pointer is None or target is None:
        raise ConfigurationError(
            f"channel '{channel}' has no earlier version", hint="promote one by name"
        )
    files = read_verified(store, target)
    why, action = f"rolled back to {target}", "rollback"
    if is_republished:
        origin, action = target, "promote"
        target = str(ModelVersion.of(f"{by} {origin}", at))
        copied = {name: data for name, data in files.items() if name != MANIFEST}
        publish(store, target, by, copied, copied_from=origin)
    return _move(store, channel, target, pointer, at=at, by=by, why=why, action=action)


def _move(
    store: ArtifactStore,
    channel: str,
    version: str,
    pointer: bytes | None,
    *,
    at: datetime,
    by: str,
    why: str,
    action: str = "promote",
) -> dict[str, Any]:
    channels.require_conditions(store.uri, store.probe(by))
    before = None if pointer is None else json.loads(pointer)["version"]
    channels.promote(
        store,
        channel,
        version,
        expected=pointer,
        at=at.astimezone(UTC).isoformat(),
        by=by,
        why=why,
        action=action,
    )
    return {"channel": channel, "from": before, "to": version}


def check_load(store: ArtifactStore, version: str) -> dict[str, Any]:
    """Load a verified version in a process of its own, and predict one row.

    Raises
    ------
    IntegrityError
        It is damaged, or cannot be loaded or used by the packages installed here.
    """
    with tempfile.TemporaryDirectory(prefix="pcc-job-") as name:
        path = fetch(store, version, Path(name))
        problem = find_load_problem(path)
    if problem:
        raise IntegrityError(
            f"{version} cannot be loaded and used here: {problem}",
            hint="compare the installed packages with environment.packages in its metadata.json",
        )
    return {"version": version, "is_loadable": True}
