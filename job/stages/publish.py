"""Store a bundle so that a reader sees the whole version or none: manifest last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from job.contracts.digest import Digest, canonical_json, run_suffix
from job.contracts.ports import ArtifactStore
from job.errors import ConfigurationError, JobError, VersionConflictError

MANIFEST: Final = "manifest.json"
_LAST: Final = ("model.joblib", "metadata.json")


def make_manifest(version: str, run_id: str, files: Mapping[str, bytes]) -> bytes:
    """List name, bytes and SHA-256 of each file."""
    entries = [
        {"name": name, "n_bytes": len(data), "digest": str(Digest.of(data))}
        for name, data in sorted(files.items())
    ]
    return canonical_json({"version": version, "run_id": run_id, "files": entries})


def publish(store: ArtifactStore, version: str, run_id: str, files: Mapping[str, bytes]) -> None:
    """Create every object of a version; the manifest commits it.

    Raises
    ------
    VersionConflictError
        A key of the version is taken.
    """
    rest = sorted(name for name in files if name not in _LAST)
    contents = {**files, MANIFEST: make_manifest(version, run_id, files)}
    written: list[str] = []
    try:
        for name in (*rest, *_LAST, MANIFEST):
            key = f"{version}/{name}"
            if not store.put_if_absent(key, contents[name]):
                raise VersionConflictError(
                    f"'{key}' is already in the store", hint="run again with another --run-id"
                )
            written.append(key)
    except JobError:
        for key in written:
            store.delete(key)
        raise


def find_published(store: ArtifactStore, run_id: str, digests: Mapping[str, Any]) -> str | None:
    """Find the complete version of a run id, if it was made of the same data and settings.

    Raises
    ------
    ConfigurationError
        The run id has published from another dataset or with other settings.
    """
    suffix = run_suffix(run_id)
    for key in store.keys("v"):
        version, _, name = key.partition("/")
        if name != MANIFEST or not version.endswith(f"_{suffix}"):
            continue
        metadata = json.loads(store.get(f"{version}/metadata.json") or b"{}")
        if metadata.get("run_id") != run_id:
            continue
        if all(metadata.get(name) == value for name, value in digests.items()):
            return version
        raise ConfigurationError(
            f"run id '{run_id}' has already published {version} from another dataset or settings",
            hint="use a new --run-id, or the dataset and settings of that version",
        )
    return None
