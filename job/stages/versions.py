"""Read published versions: which are complete, and their bytes against the manifest."""

from __future__ import annotations

import json

from job.contracts.digest import Digest, ModelVersion
from job.contracts.lists import shortened
from job.contracts.ports import ArtifactStore
from job.errors import IntegrityError
from job.stages.publish import MANIFEST


def list_versions(store: ArtifactStore) -> list[str]:
    """Name the complete versions, oldest first."""
    found = []
    for key in store.keys("v"):
        version, _, name = key.partition("/")
        if name == MANIFEST and is_version(version):
            found.append(version)
    return sorted(found)


def is_version(text: str) -> bool:
    """Say whether a text is the name of a version."""
    try:
        ModelVersion.parse(text)
    except ValueError:
        return False
    return True


def read_verified(store: ArtifactStore, version: str) -> dict[str, bytes]:
    """Read every file of a version against its manifest; the manifest is among them.

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
    sound = {name: data for name, data in files.items() if data is not None}
    return sound | {MANIFEST: raw or b""}
