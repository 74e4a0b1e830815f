"""Read the manifest of a version, and refuse one that this job would not write.

Everything else about a version is read as its manifest says, so the manifest bounds the number, the
names and the sizes of the files.
"""

from __future__ import annotations

from job.contracts.messages import quote_list
from job.contracts.ports import ArtifactStore
from job.contracts.reports.manifest import Manifest
from job.contracts.store_bounds import (
    MAX_JSON_BYTES,
    MAX_MANIFEST_BYTES,
    MAX_NAME_BYTES,
    MAX_VERSION_BYTES,
    MAX_VERSION_FILES,
)
from job.contracts.store_keys import is_key
from job.contracts.version_files import MANIFEST_FILE, METADATA_FILE, MODEL_FILE
from job.errors import IntegrityError
from job.registry.publish import is_named_for


def read_manifest(store: ArtifactStore, version: str) -> tuple[Manifest, bytes]:
    """Return the manifest of a version, and its bytes, which are those that `publish` writes.

    Raises
    ------
    IntegrityError
        The manifest is missing, damaged or of another version, or lists files that no run of this
        job publishes.
    """
    raw = _get(store, version)
    manifest = _parse(raw)
    if manifest is None or raw != _rewrite(manifest):
        raise IntegrityError(
            f"{version}/{MANIFEST_FILE}, the manifest, is missing or damaged",
            hint="restore it from a backup, or publish a new version",
        )
    if manifest.version != version or not is_named_for(
        version, manifest.run_id, manifest.copied_from
    ):
        raise IntegrityError(
            f"{version}/{MANIFEST_FILE} belongs to another version",
            hint="restore it from a backup, or publish a new version",
        )
    if problem := _find_problem(manifest):
        raise IntegrityError(
            f"{version}/{MANIFEST_FILE} {problem}",
            hint="do not use this version; find out who wrote it",
        )
    return manifest, raw


def copied_from(store: ArtifactStore, version: str) -> str | None:
    """Return the version that `version` is a copy of; None if not a copy or damaged."""
    manifest = _parse(_get(store, version))
    return None if manifest is None else manifest.copied_from


def _find_problem(manifest: Manifest) -> str:
    """Return what the manifest of a published version never lists; an empty string without it."""
    files = manifest.files
    is_large = sum(entry.n_bytes for entry in files) > MAX_VERSION_BYTES
    if is_large or len(files) > MAX_VERSION_FILES:
        return f"lists more than {MAX_VERSION_FILES} files or {MAX_VERSION_BYTES} bytes"
    names = {entry.name for entry in files}
    if missing := sorted({MODEL_FILE, METADATA_FILE} - names):
        return f"does not list {quote_list(missing)}"
    # NOTE: names become paths when a version is fetched
    if not all(is_key(name) and len(name.encode()) <= MAX_NAME_BYTES for name in names):
        return "names a file outside the version's folder, or has a name that is too long"
    if names & {name[:n] for name in names for n, letter in enumerate(name) if letter == "/"}:
        return "names a file that is also a folder"
    if any(entry.n_bytes > MAX_JSON_BYTES for entry in files if entry.name.endswith(".json")):
        return f"lists a JSON file of more than {MAX_JSON_BYTES} bytes"
    return ""


def _get(store: ArtifactStore, version: str) -> bytes:
    return store.get(f"{version}/{MANIFEST_FILE}", max_bytes=MAX_MANIFEST_BYTES) or b""


def _parse(raw: bytes) -> Manifest | None:
    try:
        return Manifest.parse(raw)
    except ValueError:
        return None


def _rewrite(manifest: Manifest) -> bytes:
    """Return the bytes that `publish` writes for a manifest, with the files sorted by name."""
    m = manifest
    files = m.entries.values()
    return Manifest.of(m.version, m.run_id, files, copied_from=m.copied_from).to_bytes()
