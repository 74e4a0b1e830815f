"""What one does with published versions: list, resolve, verify, fetch."""

from __future__ import annotations

import json
from typing import Any

from job.contracts.lists import shortened
from job.contracts.ports import ArtifactStore
from job.errors import ConfigurationError
from job.stages.channels import read_channel
from job.stages.versions import is_version, list_versions, read_verified


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
