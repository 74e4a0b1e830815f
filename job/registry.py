"""What one does with published versions: list, resolve, verify, fetch."""

from __future__ import annotations

import json
from typing import Any

from job.contracts.digest import Digest, ModelVersion
from job.contracts.lists import shortened
from job.contracts.ports import ArtifactStore
from job.errors import ConfigurationError, IntegrityError
from job.stages.channels import read_channel
from job.stages.publish import MANIFEST


def list_versions(store: ArtifactStore) -> list[str]:
    """Name the complete versions, oldest first."""
    found = []
    for key in store.keys("v"):
        version, _, name = key.partition("/")
        if name == MANIFEST and _is_version(version):
            found.append(version)
    return sorted(found)


def _is_version(text: str) -> bool:
    try:
        ModelVersion.parse(text)
    except ValueError:
        return False
    return True


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
    pointed = None if _is_version(name) or "/" in name else read_channel(store, name)[0]
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


def read_verified(store: ArtifactStore, version: str) -> dict[str, bytes]:
    """Read every file of a version against its manifest.

    Raises
    ------
    IntegrityError
        A file is missing, or its bytes are not those that were published.
    """
    raw = store.get(f"{version}/{MANIFEST}")
    try:
        entries = json.loads(raw or b"")["files"]
        listed = {str(e["name"]): str(e["digest"]) for e in entries}
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(
            f"the manifest of {version} is missing or damaged", hint="publish a new version"
        ) from None
    files = {name: store.get(f"{version}/{name}") for name in sorted(listed)}
    broken = [n for n, data in files.items() if data is None or str(Digest.of(data)) != listed[n]]
    if broken:
        raise IntegrityError(
            f"{version} is damaged: {shortened(broken)} differ from the manifest",
            hint="restore the files from a backup, or publish a new version",
            files=broken,
        )
    return {name: data for name, data in files.items() if data is not None}
