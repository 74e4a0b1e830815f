"""What one does with published versions: list, resolve, verify, fetch."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from job.contracts.lists import shortened
from job.contracts.ports import ArtifactStore
from job.errors import ConfigurationError
from job.stages.channels import read_channel
from job.stages.versions import is_version, list_versions, read_verified

__all__ = ["fetch", "list_channels", "list_versions", "read_metadata", "read_verified", "resolve"]


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
    pointed = None if is_version(name) or "/" in name else read_channel(store, name)[0]
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


def fetch(store: ArtifactStore, version: str, directory: Path) -> Path:
    """Write a verified version below a folder, whole or not at all.

    Raises
    ------
    ConfigurationError
        The folder cannot be written.
    IntegrityError
        A file of the version is damaged.
    """
    files = read_verified(store, version)
    target = directory / version
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".tmp-") as name:
            staged = Path(name) / version
            for key, data in files.items():
                (staged / key).parent.mkdir(parents=True, exist_ok=True)
                (staged / key).write_bytes(data)
            if target.exists():
                target.rename(Path(name) / "before")
            staged.rename(target)
    except OSError as error:
        raise ConfigurationError(
            f"'{directory}' cannot be written: {os.strerror(error.errno or 0)}",
            hint="choose another folder, or free space",
        ) from error
    return target
